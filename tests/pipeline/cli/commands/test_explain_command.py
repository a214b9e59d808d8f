import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from serving.explain.job import Explanation
from transform_module.errors import UserError

EXPLANATIONS = [
    Explanation(
        "a.png", 0.75, "PNEUMONIA", True, in_domain=True, overlay="out/PNEUMONIA-0.7500-a.png"
    ),
    Explanation("b.png", None, "INVALID", False, "text file"),
]


@pytest.fixture
def explained(monkeypatch):
    calls = []

    def explain(*arguments, progress):
        calls.append(arguments)
        return EXPLANATIONS

    monkeypatch.setattr("serving.explain.job.explain", explain)
    return calls


def cxr(*words, code=0):
    result = CliRunner().invoke(main, ["explain", *words])
    assert result.exit_code == code, result.output
    return result.output if code else result.stdout


def test_model_paths_and_folder_are_handed_on_and_each_file_gets_a_line(explained):
    header, first, second, last = cxr("m", "a.png", "b", "--out", "out").splitlines()
    assert explained == [(Path("m"), (Path("a.png"), Path("b")), Path("out"))]
    assert header.split() == ["image", "probability", "label", "in", "domain", "overlay"]
    assert first.split() == ["a.png", "0.7500", "PNEUMONIA", "yes", "out/PNEUMONIA-0.7500-a.png"]
    assert second.split() == ["b.png", "-", "INVALID", "text", "file"]
    assert last == "1 of 2 files is not a readable image."


def test_json_holds_every_field(explained):
    first, second = json.loads(cxr("m", "a.png", "--out", "out", "--json"))
    assert first["overlay"] == "out/PNEUMONIA-0.7500-a.png"
    assert (second["probability"], second["reason"]) == (None, "text file")


def test_where_no_file_can_be_used_the_exit_code_says_so(monkeypatch):
    monkeypatch.setattr("serving.explain.job.explain", lambda *_, **__: EXPLANATIONS[1:])
    assert "1 of 1 files is not a readable image." in cxr("m", "b.png", "--out", "out", code=4)


def test_a_mistake_is_reported_without_a_traceback(monkeypatch):
    def explain(*arguments, **options):
        raise UserError("m does not explain its predictions.")

    monkeypatch.setattr("serving.explain.job.explain", explain)
    message = cxr("m", "a.png", "--out", "out", code=1)
    assert message.endswith("Error: m does not explain its predictions.\n")


@pytest.mark.parametrize("words", [("m", "a.png"), ("m", "--out", "out")])
def test_a_folder_and_images_are_needed(explained, words):
    assert "Missing" in cxr(*words, code=2)
    assert not explained
