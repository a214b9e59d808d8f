import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from serving import keras_file
from transform_module.errors import UserError

MEASURED = {"auc": 0.9812, "p50_ms": 0.5, "largest_difference": 0.0123}
RECORD = {
    "files": [
        {
            "file": "int8.tflite",
            "bytes": 320_000,
            "input": {"type": "uint8"},
            "measured": MEASURED,
        }
    ],
    "saved_model": {"bytes": 2_000_000, "measured": {**MEASURED, "auc": 0.9823}},
    "threads": 1,
    "representative_images": {"folder": "x/train", "files": 256, "of": 4560, "undecodable": 0},
    "evaluated_images": {"folder": "x/test", "files": 656, "of": 658, "undecodable": 2},
}


KERAS = {
    "file": "x.keras",
    "bytes": 1_200_000,
    "version": 17,
    "threshold": 0.798,
    "input": {"shape": ["N", 96, 96, 1]},
    "largest_difference": 2e-7,
    "lacks": keras_file.preparation({"contrast": "equalize"}),
}


@pytest.fixture
def exporting_keras(monkeypatch):
    calls = []

    def export(model, out, **_):
        calls.append((model, out))
        return KERAS

    monkeypatch.setattr("serving.keras_file.export", export)
    return calls


@pytest.fixture
def exporting(monkeypatch):
    calls = []

    def export(model, out, **options):
        calls.append((model, out, options))
        return RECORD

    monkeypatch.setattr("serving.tflite.export.export", export)
    return calls


def cxr(*arguments, code=0):
    result = CliRunner().invoke(main, ["export", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_all_variants_are_written_unless_some_are_named(exporting):
    cxr("pushed", "--tflite", "app", "--images", "x")
    cxr("pushed", "--tflite", "app", "--variant", "int8", "--variant", "float16")
    (model, out, first), (_, _, second) = exporting
    assert (model, out) == (Path("pushed"), Path("app"))
    assert (first["images"], first["test_images"]) == (Path("x"), None)
    assert list(first["variants"]) == ["float16", "dynamic_range", "int8"]
    assert second["variants"] == ["float16", "int8"]


def test_the_table_has_size_accuracy_and_time(exporting):
    message = cxr("pushed", "--tflite", "app", "--images", "x", "--test-images", "x").splitlines()
    assert message[1].split() == ["(SavedModel)", "float32", "2.00", "0.9823", "0.0123", "0.50"]
    assert message[2].split() == ["int8.tflite", "uint8", "0.32", "0.9812", "0.0123", "0.50"]
    assert "656 of 658 images of x/test (2 cannot be decoded), one" in message[3]
    assert "256 of 4,560 images of x/train." in message[4]
    assert message[5].endswith("app/model.json")


def test_a_file_that_loses_too_much_is_named(monkeypatch, exporting):
    assert "loses" not in cxr("pushed", "--tflite", "app")
    worse = {**RECORD["files"][0], "measured": {**MEASURED, "auc": 0.9723}}
    monkeypatch.setattr(
        "serving.tflite.export.export", lambda *_, **__: RECORD | {"files": [worse]}
    )
    assert "int8.tflite loses 0.0100 of the AUC" in cxr("pushed", "--tflite", "app")


def test_the_keras_file_is_described_with_what_it_lacks(exporting_keras):
    printed = cxr("pushed", "--keras", "x.keras")
    assert exporting_keras == [(Path("pushed"), Path("x.keras"))]
    assert "x.keras: 1.20 MB, version 17; keras.models.load_model reads it" in printed
    assert "From pixels 96x96x1 in 0 to 1" in printed
    assert "PNEUMONIA from 0.7980 on" in printed
    assert "  image = tf.io.decode_image(" in printed
    assert "transform.contrast=equalize" in printed


def test_both_formats_are_written_by_one_call_and_printed_as_json(exporting, exporting_keras):
    printed = json.loads(cxr("pushed", "--keras", "x.keras", "--tflite", "app", "--json"))
    assert printed == {"keras": KERAS, "tflite": RECORD}


def test_a_call_without_a_format_says_which_there_are(exporting):
    printed = cxr("pushed", code=2)
    assert "--keras FILE.keras (one file that plain Keras loads)" in printed
    assert "--tflite FOLDER (TFLite files)" in printed
    assert exporting == []


@pytest.mark.parametrize("option", ["--images", "--test-images", "--variant"])
def test_an_option_that_would_have_no_effect_is_refused(exporting_keras, option):
    printed = cxr("pushed", "--keras", "x.keras", option, "int8", code=2)
    assert f"{option} needs --tflite" in printed
    assert exporting_keras == []


def test_a_mistake_is_printed_without_a_traceback(monkeypatch):
    def export(*_, **__):
        raise UserError("There is no folder of images at x.")

    monkeypatch.setattr("serving.tflite.export.export", export)
    assert "no folder of images" in cxr("pushed", "--tflite", "app", code=1)
