import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from pipeline.cli.exit_codes import NOTHING_VALID, WARNINGS
from pipeline.cli.main import main
from pipeline.config.config_file import load
from serving.images.dataset import SplitCount
from tests.pipeline import records
from tests.serving.images.test_dataset import SURVEY
from transform_module.errors import NothingValid, UserError

CLEAN = records.DATASET.model_copy(
    update={
        "splits": tuple(
            SplitCount(split=split, label=label, subtype="unknown", images=1, patients=1)
            for split in ("train", "eval", "test")
            for label in ("NORMAL", "PNEUMONIA")
        ),
        "quarantine_reasons": {},
    }
)


@pytest.fixture
def found(monkeypatch):
    """What the inspection finds, and how it is called."""

    state = SimpleNamespace(dataset=CLEAN, refused=None, error=None, calls=[])

    def inspect(images, **options):
        state.calls.append((images, options))
        if state.error:
            raise state.error
        return state.dataset, state.refused

    monkeypatch.setattr("components.convert.convert.inspect", inspect)
    return state


def cxr(*arguments):
    return CliRunner().invoke(main, ["inspect", *map(str, arguments)])


def test_a_clean_dataset_exits_with_0(found):
    result = cxr("in")
    assert result.exit_code == 0
    assert result.stdout.endswith("No warnings.\n")
    (images, options) = found.calls[0]
    assert images == Path("in")
    assert options["settings"] == load().dataset
    assert (options["seed"], options["beam_args"]) == (7, [])


def test_options_are_handed_on(found):
    cxr("in", "--patients", "p: 1.csv", "--max-bad", "0.5", "--set", "seed=3", "--beam-arg=--b=2")
    _, options = found.calls[0]
    assert (options["settings"].patients, options["settings"].max_bad) == ("p: 1.csv", 0.5)
    assert (options["seed"], options["beam_args"]) == (3, ["--b=2"])


def test_warnings_have_an_exit_code_of_their_own(found):
    found.dataset = records.DATASET
    result = cxr("in")
    assert result.exit_code == WARNINGS == 5
    assert "The split test holds no PNEUMONIA." in result.stdout
    assert result.stdout.endswith("5 warnings.\n")
    assert "written to" not in result.stdout


def test_what_convert_would_refuse_is_a_warning(found):
    found.refused = "3 of 9 files are bad."
    result = cxr("in")
    assert result.exit_code == WARNINGS
    assert "cxr convert would refuse this: 3 of 9 files are bad.\n1 warning.\n" in result.stdout


def test_where_nothing_can_be_used_the_exit_code_is_4(found):
    found.error = NothingValid("None of 3.")
    result = cxr("in", "--json")
    assert (result.exit_code, result.stdout) == (NOTHING_VALID, "")
    assert result.stderr.endswith("Error: None of 3.\n")


def test_a_mistake_exits_with_1(found):
    found.error = UserError("There is no folder.")
    assert cxr("in").exit_code == 1


def test_the_json_is_that_of_the_dataset_with_the_warnings(found):
    found.dataset, found.refused = records.DATASET, "Too many."
    result = cxr("in", "--json")
    content = json.loads(result.stdout)
    assert content.pop("warnings") == [
        *records.DATASET.warnings,
        "cxr convert would refuse this: Too many.",
    ]
    assert content == records.DATASET.model_dump(mode="json")
    assert result.exit_code == WARNINGS


def test_quarantined_files_are_named_with_their_reason(found):
    example = SURVEY.examples[0].model_copy(
        update={"kind": "quarantined", "about": "empty file", "path": "a/[b].png"}
    )
    found.dataset = CLEAN.model_copy(
        update={"survey": SURVEY.model_copy(update={"examples": (example,)})}
    )
    assert "Quarantined: a/[b].png (empty file)\n" in cxr("in").stdout


def test_the_page_is_written_where_it_is_wanted(found, tmp_path):
    result = cxr("in", "--out", tmp_path / "page.html")
    assert result.exit_code == 0
    found.calls[0][1]["report"](CLEAN, tmp_path)
    assert "Dataset report" in (tmp_path / "page.html").read_text()
    assert result.stdout.endswith(f"Page: {tmp_path}/page.html\n")


def test_a_page_that_cannot_be_written_is_refused_before_anything_is_read(found, tmp_path):
    result = cxr("in", "--out", tmp_path)
    assert result.exit_code == 1
    assert "it is a folder" in result.stderr
    assert found.calls == []
