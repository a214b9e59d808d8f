import contextlib
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from serving.tflite.export import export
from serving.tflite.record import DYNAMIC_RANGE, FLOAT16, INT8, RECORD, VARIANTS
from tests.images import encode
from tests.serving.saved import save as save_without_pixels
from tests.serving.tflite.saved import save
from transform_module import contract
from transform_module.errors import UserError

# Of the probability; the sigmoid's slope of 1/4 at most takes a logit's error to that.
TOLERANCE = {FLOAT16: 0.01, DYNAMIC_RANGE: 0.06, INT8: 0.06}
GREYS = tuple(range(0, 256, 15))


@contextlib.contextmanager
def step(name):
    yield lambda done, total: None


def grey(value):
    # A ramp, so that not all pixels are the same.
    ramp = np.clip(np.linspace(value - 20, value + 20, 60), 0, 255).astype(np.uint8)
    return encode(np.broadcast_to(ramp, (50, 60)), "png-grey")


@pytest.fixture(scope="module")
def version(tmp_path_factory):
    return save(tmp_path_factory.mktemp("chest_xray") / "17")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Bright images are PNEUMONIA, and one of them is broken."""
    folder = tmp_path_factory.mktemp("images")
    for value in GREYS:
        for part in ("train", "test"):
            file = folder / part / contract.LABELS[value >= 128] / f"{value}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(grey(value))
    (folder / "test" / "PNEUMONIA" / "broken.png").write_bytes(b"\x89PNG broken")
    return folder


@pytest.fixture(scope="module")
def exported(version, images, tmp_path_factory):
    out = tmp_path_factory.mktemp("app") / "out"
    record = export(version, out, images=images, step=step)
    assert json.loads((out / RECORD).read_text()) == record
    return out, record


def levels(*values):
    return np.stack([np.full((160, 160, 1), value, np.uint8) for value in values])


def predicted_by_saved_model(version, grey_levels):
    signature = tf.saved_model.load(str(version)).signatures[contract.SERVE_PIXELS]
    pixels = tf.constant(grey_levels / np.float32(255), tf.float32)
    return signature(image_xf=pixels)[contract.PROBABILITY].numpy()


def predicted(file, given):
    interpreter = Interpreter(model_path=str(file))
    runner = interpreter.get_signature_runner()
    (name,) = runner.get_input_details()
    return runner(**{name: given})[contract.PROBABILITY]


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_file_predicts_as_the_saved_model(exported, version, variant):
    out, record = exported
    grey_levels = levels(*GREYS)
    wanted = predicted_by_saved_model(version, grey_levels)
    assert wanted.min() < 0.01
    assert wanted.max() > 0.99
    is_whole = variant == INT8
    given = grey_levels if is_whole else (grey_levels / np.float32(255)).astype(np.float32)
    np.testing.assert_allclose(
        predicted(out / f"{variant}.tflite", given), wanted, atol=TOLERANCE[variant]
    )
    (described,) = (each for each in record["files"] if each["variant"] == variant)
    assert described["measured"]["largest_difference"] <= TOLERANCE[variant]
    assert described["measured"]["auc"] == 1.0


def test_int8_is_as_sure_as_the_saved_model(exported, version):
    """In steps of 1/256 no probability were above 255/256, nor any but 0 below 1/256."""
    out, _ = exported
    black, white = predicted(out / "int8.tflite", levels(0, 255))
    assert white > 0.9995
    assert 0 < black < 0.0005


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_record_shows_the_input_that_a_file_takes(exported, variant):
    out, record = exported
    (described,) = (each for each in record["files"] if each["variant"] == variant)
    file = out / described["file"]
    assert described["bytes"] == file.stat().st_size
    runner = Interpreter(model_path=str(file)).get_signature_runner()
    ((name, taken),) = runner.get_input_details().items()
    wanted = described["input"]
    assert name == wanted["name"]
    assert np.dtype(taken["dtype"]).name == wanted["type"]
    assert taken["shape_signature"].tolist() == [-1, *wanted["shape"][1:]]
    ((name, given),) = runner.get_output_details().items()
    assert name == record["output"]["name"]
    assert np.dtype(given["dtype"]).name == record["output"]["type"]


def test_the_record_shows_threshold_labels_and_images(exported, images):
    _, record = exported
    assert record["threshold"] == 0.5
    assert record["labels"] == ["NORMAL", "PNEUMONIA"]
    assert record["version"] == "17"
    shown, compared = record["representative_images"], record["evaluated_images"]
    counted = ("files", "of", "undecodable")
    assert (shown["folder"], compared["folder"]) == (f"{images}/train", f"{images}/test")
    assert [shown[each] for each in counted] == [len(GREYS), len(GREYS), 0]
    assert [compared[each] for each in counted] == [len(GREYS), len(GREYS) + 1, 1]


def test_each_file_is_smaller_than_the_saved_model(exported):
    _, record = exported
    assert record["saved_model"]["bytes"] > max(each["bytes"] for each in record["files"])


def test_one_variant_alone_needs_no_images_and_replaces_an_export(exported, version, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(exported[0], out)
    record = export(version, out, variants=[FLOAT16], step=step)
    assert sorted(path.name for path in out.iterdir()) == ["float16.tflite", RECORD]
    assert record["files"][0]["measured"] is None
    assert record["evaluated_images"] is record["representative_images"] is None


def test_what_is_not_compared_is_said_with_its_reason(version, tmp_path, caplog):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "1.png").write_bytes(grey(100))
    record = export(
        version, tmp_path / "out", variants=[FLOAT16], images=tmp_path / "images", step=step
    )
    assert record["evaluated_images"] is None
    (said,) = [each for each in caplog.messages if "not compared" in each]
    assert "images" in said
    assert "give --test-images" in said


def refused(*arguments, **options):
    with pytest.raises(UserError) as refusal:
        export(*arguments, step=step, **options)
    return str(refusal.value)


def test_int8_is_refused_without_images(version, tmp_path):
    message = refused(version, tmp_path / "out")
    assert "--images FOLDER" in message
    assert "--variant float16 --variant dynamic_range" in message


def test_a_model_without_the_signature_is_refused(tmp_path):
    model = save_without_pixels(tmp_path / "17")
    message = refused(model, tmp_path / "out", variants=[FLOAT16])
    assert "has no signature serve_pixels" in message
    assert "Run the pipeline again" in message


def test_no_model_is_refused(tmp_path):
    assert "No model at" in refused(tmp_path, tmp_path / "out", variants=[FLOAT16])


def test_an_output_that_is_a_file_is_left_alone(version, tmp_path):
    (tmp_path / "out").write_text("mine")
    assert "is a file" in refused(version, tmp_path / "out", variants=[FLOAT16])
    assert (tmp_path / "out").read_text() == "mine"


def test_an_output_that_holds_something_else_is_left_alone(version, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    assert "holds something else" in refused(version, tmp_path, variants=[FLOAT16])
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_other_images_than_the_representative_ones_can_be_predicted(version, images, tmp_path):
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "a.png").write_bytes(grey(90))
    some = {"images": tmp_path / "some", "variants": [INT8], "step": step}
    assert export(version, tmp_path / "out", **some)["evaluated_images"] is None
    record = export(version, tmp_path / "out", test_images=images, **some)
    assert record["evaluated_images"]["folder"] == f"{images}/test"


def test_images_that_are_all_broken_are_refused(version, tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(b"no image")
    message = refused(version, tmp_path / "out", images=tmp_path / "images")
    assert "None of the 1 files" in message
    assert not (tmp_path / "out").exists()
