import keras
import numpy as np
import pytest

from trainer_module import models
from trainer_module.model_settings import CnnSettings
from trainer_module.settings import TrainerSettings


def test_layers_stand_in_the_mission_order():
    model = models.build(TrainerSettings(), synchronized=False, precision="float32")
    block = ["Conv2D", "BatchNormalization", "Dropout", "MaxPooling2D"]
    dense = ["Dense", "BatchNormalization", "Dropout"]
    assert [type(layer).__name__ for layer in model.layers] == [
        *block * 2,
        "Flatten",
        *dense * 3,
        "Dense",
    ]
    widths = [layer.units for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    assert widths == [512, 256, 128, 1]
    # 102,400 inputs of the first dense layer make nearly all of it.
    assert model.count_params() == 52_616_449


def test_settings_reach_the_layers_and_the_output_is_a_probability():
    settings = TrainerSettings(cnn=CnnSettings(filters=(2, 3, 4), kernel_size=5, dense_units=(6,)))
    model = models.build(settings, synchronized=True, precision="float32")
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
    model = models.build(settings, synchronized=False, precision="bfloat16")
    *inner, probability = model.layers
    assert {layer.compute_dtype for layer in inner} == {"bfloat16"}
    assert probability.compute_dtype == "float32"
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"
    assert model(np.zeros((1, 160, 160, 1), np.float32)).dtype == "float32"
