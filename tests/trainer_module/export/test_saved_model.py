import numpy as np
import tensorflow as tf

from trainer_module.export import saved_model


def test_a_label_is_pneumonia_from_the_threshold_on():
    threshold = np.float32(0.7)
    below = np.nextafter(threshold, np.float32(0))
    labels = saved_model.predicted_labels(
        tf.constant([below, threshold, 1.0, 1.0]),
        tf.constant([True, True, True, False]),
        float(threshold),
    )
    assert labels.numpy().tolist() == [b"NORMAL", b"PNEUMONIA", b"PNEUMONIA", b"INVALID"]
