import keras
import numpy as np
import pytest

from trainer_module import models
from trainer_module.models.compact import Settings as CompactSettings
from trainer_module.networks import building
from trainer_module.settings.trainer import TrainerSettings
from transform_module.contract import IMAGE_SIZE


def build(**settings):
    chosen = TrainerSettings(model="compact", compact=CompactSettings(**settings))
    return building.build(chosen, size=IMAGE_SIZE, synchronized=False, precision="float32")


def test_it_is_small_and_pools_globally():
    model = build()
    assert model.count_params() < 500_000
    # A map of any size would do: nothing depends on where on it something is.
    assert model.layers[-1].kernel.shape[0] == model.get_layer(models.FEATURES).output.shape[-1]


def test_the_output_is_a_probability_and_does_not_depend_on_the_rest_of_the_batch():
    model = build()
    pixels = np.random.default_rng(0).random((3, 160, 160, 1), np.float32)
    together = model(pixels, training=False).numpy()
    assert together.shape == (3, 1)
    assert ((together > 0) & (together < 1)).all()
    alone = model(pixels[:1], training=False).numpy()
    np.testing.assert_allclose(alone, together[:1], atol=1e-6)


@pytest.mark.parametrize("blocks", [1, 2])
def test_a_block_whose_convolution_says_nothing_passes_on_what_it_gets(blocks):
    """Every block adds to its input: with kernels of 0 the image still reaches the output."""
    model = build(blocks=blocks)
    inside = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D) and layer.strides == (1, 1)
    ]
    assert len(inside) == 3 * blocks
    for layer in inside:
        layer.kernel.assign(np.zeros(layer.kernel.shape))
    pixels = np.random.default_rng(0).random((2, 160, 160, 1), np.float32)
    first, second = model(pixels, training=False).numpy()
    assert first != second
