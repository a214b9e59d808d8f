import keras
import numpy as np
import pytest

from trainer_module.models.cnn import Settings as CnnSettings
from trainer_module.networks import building
from trainer_module.settings.trainer import TrainerSettings
from transform_module.contract import IMAGE_SIZE


@pytest.mark.slow
def test_layers_are_in_the_mission_order():
    model = building.build(
        TrainerSettings(), size=IMAGE_SIZE, synchronized=False, precision="float32"
    )
    of = keras.layers
    block = [of.Conv2D, of.BatchNormalization, of.Dropout, of.MaxPooling2D]
    dense = [of.Dense, of.BatchNormalization, of.Dropout]
    expected = [*block * 2, of.Flatten, *dense * 3, of.Dense]
    for layer, kind in zip(model.layers, expected, strict=True):
        assert isinstance(layer, kind)
    denses = [layer for layer in model.layers if isinstance(layer, of.Dense)]
    assert [layer.kernel.shape for layer in denses] == [
        (40 * 40 * 64, 512),
        (512, 256),
        (256, 128),
        (128, 1),
    ]


def test_settings_reach_the_layers_and_the_output_is_a_probability():
    settings = TrainerSettings(cnn=CnnSettings(filters=(2, 3, 4), kernel_size=5, dense_units=(6,)))
    model = building.build(settings, size=IMAGE_SIZE, synchronized=True, precision="float32")
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.filters for layer in convolutions] == [2, 3, 4]
    assert convolutions[0].kernel_size == (5, 5)
    probability = model(np.random.default_rng(0).random((3, 160, 160, 1), np.float32)).numpy()
    assert probability.shape == (3, 1)
    assert ((probability > 0) & (probability < 1)).all()


def test_too_many_blocks_are_refused():
    with pytest.raises(ValueError, match="filters"):
        CnnSettings(filters=(8,) * 6)


def test_bfloat16_is_what_layers_compute_in_and_nothing_else():
    settings = TrainerSettings(cnn=CnnSettings(filters=(2,), dense_units=(6,)))
    model = building.build(settings, size=IMAGE_SIZE, synchronized=False, precision="bfloat16")
    *inner, probability = model.layers
    assert {layer.compute_dtype for layer in inner} == {"bfloat16"}
    assert probability.compute_dtype == "float32"
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"
    assert model(np.zeros((1, 160, 160, 1), np.float32)).dtype == "float32"
