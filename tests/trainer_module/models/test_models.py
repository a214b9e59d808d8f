import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from trainer_module import models
from trainer_module.models import cnn
from trainer_module.networks import building
from trainer_module.settings.trainer import TrainerSettings
from transform_module.contract import IMAGE_SIZE


@pytest.mark.parametrize("name", models.NAMES)
def test_the_last_feature_map_is_found_and_decides_the_probability(name):
    model = building.build(
        TrainerSettings(model=name), size=IMAGE_SIZE, synchronized=False, precision="float32"
    )
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
    def build(settings, *, size, synchronized):
        pool = keras.layers.GlobalAveragePooling2D()
        return keras.Sequential([keras.Input(shape), pool, keras.layers.Dense(units, dtype=dtype)])

    monkeypatch.setattr(cnn, "build", build)
    with pytest.raises(ValueError, match=r"models\.cnn\.build must build .* Received: "):
        building.build(TrainerSettings(), size=IMAGE_SIZE, synchronized=False, precision="float32")


@pytest.mark.parametrize("name", models.NAMES)
def test_every_model_takes_images_of_another_size(name):
    model = building.build(
        TrainerSettings(model=name), size=96, synchronized=False, precision="float32"
    )
    assert model.input_shape == (None, 96, 96, 1)


OWN = """
from pydantic import BaseModel, ConfigDict, Field

from trainer_module.models import FEATURES

class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    filters: int = Field(2, description="Filters.")

def build(settings, *, size, synchronized):
    import keras

    return keras.Sequential([
        keras.Input((size, size, 1)),
        keras.layers.Conv2D(settings.filters, 3, name=FEATURES),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(1, activation="sigmoid"),
    ])
"""
SCRIPT = """
import sys
from pathlib import Path

import trainer_module

copy = Path(sys.argv[1])
trainer_module.__path__.insert(0, str(copy))
from pipeline.config.config_file import load

config = load(None, ["trainer.model=own", "trainer.own.filters=5", "transform.size=64"])
from trainer_module.networks import building

model = building.build(config.trainer, size=64, synchronized=False, precision="float32")
print(model.input_shape, model.get_layer("features").output.shape)
"""


@pytest.fixture
def with_own(tmp_path):
    """Calls Python where ``models/`` holds one more file."""

    def call(code, script=SCRIPT):
        shutil.copytree(Path(models.__file__).parent, tmp_path / "models")
        (tmp_path / "models" / "own.py").write_text(code)
        return subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True
        )

    return call


def test_a_file_is_all_that_a_model_takes(with_own):
    done = with_own(OWN)
    assert done.stdout == "(None, 64, 64, 1) (None, 62, 62, 5)\n", done.stderr


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import nothing_of_that_name", "own.py cannot be imported: ModuleNotFoundError: No mod"),
        (OWN.replace("class Settings", "class Layers"), "own.py has no class Settings, a pydantic"),
        (OWN.replace("def build", "def make"), "own.py has no function build"),
    ],
)
def test_a_mistake_in_it_is_reported_before_anything_runs(with_own, code, message):
    done = with_own(code)
    assert done.returncode
    assert message in done.stderr


def test_settings_are_read_without_keras():
    code = "import sys, trainer_module.settings.trainer; print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
