import numpy as np
import pytest
import tensorflow as tf

from trainer_module.input.augmentation.mixing import draw_share, mix


@pytest.mark.parametrize("alpha", [0.01, 0.2, 1, 10])
def test_shares_are_of_the_beta_distribution_and_the_greater_half(alpha):
    shares = np.array([draw_share(tf.constant([7, i], tf.int64), alpha) for i in range(300)])
    assert ((shares >= 0.5) & (shares <= 1)).all()
    both = np.concatenate([shares, 1 - shares])
    assert both.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.2)
    assert draw_share(tf.constant([7, 3], tf.int64), alpha) == shares[3]


def test_images_and_labels_are_mixed_by_the_same_share():
    share = tf.constant([1.0, 0.75])
    pixels = mix(share, tf.ones((2, 3, 3, 1)), tf.zeros((2, 3, 3, 1)))
    np.testing.assert_allclose(pixels[:, 0, 0, 0], share)
    np.testing.assert_allclose(mix(share, tf.constant([0.0, 0.0]), tf.ones(2)), [0, 0.25])
