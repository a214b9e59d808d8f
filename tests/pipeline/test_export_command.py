import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.errors import UserError
from pipeline.cli import main

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
    "representative_pictures": {"folder": "x/train", "files": 256, "of": 4560, "undecodable": 0},
    "judged_pictures": {"folder": "x/test", "files": 656, "of": 658, "undecodable": 2},
}


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
    cxr("--tflite", "pushed", "app", "--pictures", "x")
    cxr("--tflite", "pushed", "app", "--variant", "int8", "--variant", "float16")
    (model, out, first), (_, _, second) = exporting
    assert (model, out) == (Path("pushed"), Path("app"))
    assert (first["pictures"], first["data"]) == (Path("x"), None)
    assert list(first["variants"]) == ["float16", "dynamic_range", "int8"]
    assert second["variants"] == ["float16", "int8"]


def test_the_table_tells_size_accuracy_and_time(exporting):
    told = cxr("--tflite", "pushed", "app", "--pictures", "x", "--data", "x").splitlines()
    assert told[1].split() == ["(SavedModel)", "float32", "2.00", "0.9823", "0.0123", "0.50"]
    assert told[2].split() == ["int8.tflite", "uint8", "0.32", "0.9812", "0.0123", "0.50"]
    assert "656 of 658 pictures of x/test (2 cannot be decoded), one" in told[3]
    assert "256 of 4,560 pictures of x/train." in told[4]
    assert told[5].endswith("app/model.json")


def test_a_file_that_loses_too_much_is_told(monkeypatch, exporting):
    assert "loses" not in cxr("--tflite", "pushed", "app")
    worse = {**RECORD["files"][0], "measured": {**MEASURED, "auc": 0.9723}}
    monkeypatch.setattr(
        "serving.tflite.export.export", lambda *_, **__: RECORD | {"files": [worse]}
    )
    assert "int8.tflite loses 0.0100 of the AUC" in cxr("--tflite", "pushed", "app")


def test_the_record_is_printed_as_json(exporting):
    assert json.loads(cxr("--tflite", "pushed", "app", "--json")) == RECORD


def test_the_form_must_be_named(exporting):
    assert "Missing option '--tflite'" in cxr("pushed", "app", code=2)


def test_a_mistake_is_told_without_a_traceback(monkeypatch):
    def export(*_, **__):
        raise UserError("There is no folder of pictures at x.")

    monkeypatch.setattr("serving.tflite.export.export", export)
    assert "no folder of pictures" in cxr("--tflite", "pushed", "app", code=1)
