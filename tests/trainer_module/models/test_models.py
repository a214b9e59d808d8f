from types import SimpleNamespace

import keras
import numpy as np
import pytest

from trainer_module import models
from trainer_module.settings.trainer import TrainerSettings

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


@pytest.mark.parametrize(
    ("shape", "units", "dtype"),
    [((224, 224, 1), 1, "float32"), ((160, 160, 1), 2, "float32"), ((160, 160, 1), 1, "bfloat16")],
)
def test_a_module_that_builds_another_kind_of_model_is_refused(monkeypatch, shape, units, dtype):
    def build(settings, *, synchronized):
        pool = keras.layers.GlobalAveragePooling2D()
        return keras.Sequential([keras.Input(shape), pool, keras.layers.Dense(units, dtype=dtype)])

    module = SimpleNamespace(__name__="trainer_module.models.mine", build=build)
    monkeypatch.setattr(models.importlib, "import_module", lambda _: module)
    with pytest.raises(ValueError, match=r"models\.mine\.build must build .* Received: "):
        models.build(TrainerSettings(), synchronized=False, precision="float32")
