"""The Keras file of a pushed model, of every model that the trainer builds."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from serving import keras_file
from tests.images import encode, grey_pixels
from tests.serving.saved import save as save_without_network
from tests.serving.tflite.test_export import step
from tests.trainer_module import small
from trainer_module.decision.calibration import Calibration
from trainer_module.export import architecture
from trainer_module.networks import building, ensemble
from trainer_module.settings.trainer import TrainerSettings
from transform_module import contract
from transform_module.contract import IMAGE_SIZE
from transform_module.errors import UserError
from transform_module.images import image_ops
from transform_module.settings import TransformSettings

CALIBRATION = Calibration(slope=0.8, shift=0.3)
ALONE = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {
            "pipeline", "components", "serving", "trainer_module", "transform_module"
        }:
            raise ImportError(name)
sys.meta_path.insert(0, Absent())
import keras, numpy
pixels = numpy.load(sys.argv[2])
numpy.save(sys.argv[3], keras.models.load_model(sys.argv[1])(pixels, training=False))
"""


def build(name):
    settings = small.SETTINGS.model_copy(update={"model": name})
    if name == "transfer":
        settings = TrainerSettings(model=name)
    return building.build(settings, size=IMAGE_SIZE, synchronized=False, precision="float32")


def network(name):
    keras.utils.set_random_seed(3)
    if name == "ensemble":
        built = ensemble.build([build("compact"), build("compact")])
    else:
        built = build(name)
    # As a training leaves them: no two alike, normalization included.
    generator = np.random.default_rng(5)
    for weight in built.weights:
        if "normalization" in weight.path:
            weight.assign(generator.uniform(0.5, 1.5, weight.shape))
    return built


def save(model, folder):
    """Saves a model as the trainer does, without what decodes images."""

    def serve_pixels(image_xf):
        return {contract.PROBABILITY: CALIBRATION(model(image_xf, training=False)[:, 0])}

    archive = keras.export.ExportArchive()
    spec = tf.TensorSpec([None, 160, 160, 1], tf.float32, name=contract.IMAGE_XF)
    for name in (contract.SERVING_DEFAULT, contract.SERVE_PIXELS):
        archive.add_endpoint(name, serve_pixels, [spec])
    archive.write_out(str(folder), verbose=False)
    record = folder / contract.MODEL_RECORD
    record.parent.mkdir(exist_ok=True)
    record.write_text(
        json.dumps({"labels": contract.LABELS, "threshold": 0.5, "image_size": contract.IMAGE_SIZE})
    )
    architecture.write(model, CALIBRATION, folder)
    return folder


@pytest.fixture(scope="module")
def compact(tmp_path_factory):
    return save(network("compact"), tmp_path_factory.mktemp("chest_xray") / "17")


def served(version, pixels):
    signature = tf.saved_model.load(str(version)).signatures[contract.SERVE_PIXELS]
    return signature(image_xf=tf.constant(pixels))[contract.PROBABILITY].numpy()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cnn", "compact", "transfer", "ensemble"])
def test_plain_keras_reads_the_file_and_finds_the_same_probability(name, tmp_path):
    version = save(network(name), tmp_path / "17")
    record = keras_file.export(version, tmp_path / "model.keras", step=step)
    pixels = np.random.default_rng(1).random((4, 160, 160, 1), np.float32)
    pixels *= np.linspace(0.1, 1, 4, dtype=np.float32)[:, None, None, None]
    np.save(tmp_path / "pixels.npy", pixels)
    subprocess.run(
        [sys.executable, "-c", ALONE, "model.keras", "pixels.npy", "found.npy"],
        cwd=tmp_path,
        check=True,
    )
    found = np.load(tmp_path / "found.npy")
    wanted = served(version, pixels)
    assert found.shape == (4, 1)
    assert np.ptp(wanted) > 1e-4
    np.testing.assert_allclose(found[:, 0], wanted, atol=1e-6)
    assert record["largest_difference"] <= 1e-6
    assert record["bytes"] == (tmp_path / "model.keras").stat().st_size


def test_the_record_is_small_beside_the_weights(compact):
    assert (compact / contract.ARCHITECTURE).stat().st_size < 100_000


def test_a_file_that_differs_is_not_written(compact, tmp_path, monkeypatch):
    (tmp_path / "model.keras").write_text("former")
    weights = keras_file._weights

    def changed(*arguments):
        first, *others = weights(*arguments)
        return [first * 1.5, *others]

    monkeypatch.setattr(keras_file, "_weights", changed)
    with pytest.raises(UserError, match="differs from the pushed model's by"):
        keras_file.export(compact, tmp_path / "model.keras", step=step)
    assert [file.name for file in tmp_path.iterdir()] == ["model.keras"]
    assert (tmp_path / "model.keras").read_text() == "former"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("model.h5", "has to end in .keras"),
        ("folder.keras", "is a folder"),
        ("absent/model.keras", "There is no folder"),
    ],
)
def test_a_name_that_cannot_be_written_is_refused_before_the_model_is_read(name, message, tmp_path):
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(UserError, match=message):
        keras_file.export(tmp_path / "no model", tmp_path / name, step=step)


def test_a_model_of_an_earlier_release_is_refused(tmp_path):
    version = save_without_network(tmp_path / "17")
    with pytest.raises(UserError, match="pushed before models recorded their network"):
        keras_file.export(version, tmp_path / "model.keras", step=step)


@pytest.mark.parametrize("resize", ["squash", "pad"])
def test_the_two_lines_prepare_an_image_as_the_transform_does(resize, tmp_path):
    content = encode(grey_pixels(300, 200, seed=2), "jpeg-grey")
    (tmp_path / "xray.jpeg").write_bytes(content)
    settings = TransformSettings(resize=resize)
    names = {"tf": tf, "path": str(tmp_path / "xray.jpeg")}
    exec("\n".join(keras_file.preparation(settings.model_dump())["lines"]), names)
    wanted, _ = image_ops.model_inputs(
        image_ops.images_to_png(tf.constant([content]), settings), settings.size
    )
    np.testing.assert_allclose(names["pixels"], wanted, atol=1.01 / 255)
    assert np.mean(names["pixels"] != wanted) < 0.02


def test_a_spread_of_grey_levels_is_recorded_as_lacking():
    lacks = keras_file.preparation(TransformSettings(contrast="percentile").model_dump())
    assert lacks["contrast"] == "percentile"
    assert keras_file.preparation({})["contrast"] == "none"


def test_no_lines_replace_a_function_of_the_users_own():
    lacks = keras_file.preparation(TransformSettings(function="own.prepare").model_dump())
    assert (lacks["lines"], lacks["function"]) == ([], "own.prepare")
    assert keras_file.preparation({})["function"] is None
