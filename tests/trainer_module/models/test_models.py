import keras
import numpy as np
import pytest

from trainer_module import models
from trainer_module.settings import TrainerSettings

NAMES = ["cnn", "compact", "transfer"]


@pytest.mark.parametrize("name", NAMES)
def test_the_last_feature_map_is_found_and_decides_the_probability(name):
    model = models.build(TrainerSettings(model=name), synchronized=False, precision="float32")
    layer = model.get_layer(models.FEATURES)
    both = keras.Model(model.inputs, [layer.output, *model.outputs])
    pixels = np.random.default_rng(1).random((2, 160, 160, 1), np.float32)
    features, probability = both([pixels])
    assert features.ndim == 4
    assert 1 < features.shape[1] == features.shape[2] < 160
    np.testing.assert_allclose(probability, model(pixels), rtol=1e-5)
