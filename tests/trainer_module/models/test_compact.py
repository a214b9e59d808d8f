import numpy as np
import pytest

from trainer_module import models
from trainer_module.model_settings import CompactSettings
from trainer_module.settings import TrainerSettings


def build(**settings):
    chosen = TrainerSettings(model="compact", compact=CompactSettings(**settings))
    return models.build(chosen, synchronized=False, precision="float32")


def test_it_is_small():
    assert build().count_params() == 293_073


def test_the_output_is_a_probability_and_does_not_depend_on_the_rest_of_the_batch():
    model = build()
    pixels = np.random.default_rng(0).random((3, 160, 160, 1), np.float32)
    together = model(pixels, training=False).numpy()
    assert together.shape == (3, 1)
    assert ((together > 0) & (together < 1)).all()
    alone = model(pixels[:1], training=False).numpy()
    np.testing.assert_allclose(alone, together[:1], atol=1e-6)


@pytest.mark.parametrize(("blocks", "adds"), [(1, 3), (2, 6)])
def test_each_stage_has_its_residual_blocks(blocks, adds):
    layers = [type(layer).__name__ for layer in build(blocks=blocks).layers]
    assert layers.count("Add") == adds
