import keras
import numpy as np
import pytest

from trainer_module.networks.backbones import applications
from trainer_module.networks.layers import BatchNormalization


@pytest.fixture
def weights(tmp_path):
    """A file of weights without the top, as Keras's own: here of chance."""
    keras.utils.set_random_seed(3)
    network = keras.applications.MobileNetV2(
        include_top=False, input_shape=(64, 64, 3), weights=None
    )
    network.save_weights(tmp_path / "mobilenet_v2.weights.h5")
    return network, str(tmp_path / "mobilenet_v2.weights.h5")


def test_our_copy_computes_what_keras_network_does_of_the_image_it_expects(weights):
    network, path = weights
    pixels = keras.Input((64, 64, 1))
    copy = keras.Model(
        pixels, applications.features("mobilenet_v2", pixels, BatchNormalization, path)
    )
    image = np.random.default_rng(1).random((2, 64, 64, 1)).astype(np.float32)
    expected = network(
        keras.applications.mobilenet_v2.preprocess_input(255 * np.repeat(image, 3, axis=3))
    )
    np.testing.assert_allclose(copy(image), expected, atol=1e-4)
    ours = copy._flatten_layers(include_self=False, recursive=True)
    assert sum(isinstance(layer, BatchNormalization) for layer in ours) == 52
