import json

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from serving.align.acquisition import DomainShare, Fit
from serving.align.alignment import Alignment, Refused
from serving.align.job import Aligned
from serving.versions.pushed import PushedVersion
from transform_module.errors import NothingValid

FOUND = Alignment(
    images=1200,
    patients=900,
    prior=0.74,
    prevalence=0.2,
    interval=(0.17, 0.23),
    fit=Fit(0.11, 0.4, 0.3, 0.21),
    domain=DomainShare(0.04, 0.05, 0.8),
)


@pytest.fixture
def aligning(monkeypatch, tmp_path):
    """The outcome to give, and how it was called for."""
    version = tmp_path / "pushed" / "17"
    state = {"outcome": Aligned(version, FOUND, 0.0), "calls": []}

    def align_model(model, images, **options):
        state["calls"].append((model, images, options))
        if isinstance(state["outcome"], Exception):
            raise state["outcome"]
        return state["outcome"]

    monkeypatch.setattr("serving.align.job.align_model", align_model)
    return state


def align(*options):
    return CliRunner().invoke(main, ["align", "pushed", "--images", "place", *options])


def test_without_push_it_prints_what_it_would_do(aligning):
    result = align("--patient-pattern", "(P[0-9]+)")
    assert result.exit_code == 0, result.output
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "prevalence of this place 0.2000 0.1700 to 0.2300" in lines
    assert "shift of the logit -2.4323" in lines
    assert "distance from a mixture 0.1100 p = 0.3" in lines
    assert "1,200 images of 900 patients." in result.stdout
    assert "repeat with --push" in result.stdout
    _, _, options = aligning["calls"][0]
    assert not options["push"]
    assert options["settings"].patient_pattern == "(P[0-9]+)"


def test_with_push_it_names_the_version(aligning, tmp_path):
    pushed = PushedVersion(18, tmp_path / "pushed" / "18")
    aligning["outcome"] = Aligned(tmp_path / "pushed" / "17", FOUND, 0.0, pushed)
    result = align("--push")
    assert aligning["calls"][0][2]["push"]
    assert "Pushed as version 18: " in result.stdout
    assert json.loads(align("--push", "--json").stdout)["version"] == 18


def test_where_nothing_is_to_be_corrected_it_says_so(aligning, tmp_path):
    same = Alignment(**{**vars(FOUND), "interval": (0.17, 0.75)})
    aligning["outcome"] = Aligned(tmp_path / "17", same, 0.0)
    assert "no version is written" in " ".join(align("--push").stdout.split())


def test_a_refusal_has_an_exit_code_of_its_own(aligning):
    aligning["outcome"] = Refused("The scores are not a mixture.", FOUND)
    result = align("--push")
    assert result.exit_code == 3
    assert result.stderr == "Refused: The scores are not a mixture.\n"
    as_json = align("--json")
    assert as_json.exit_code == 3
    assert json.loads(as_json.stdout) == {"refused": "The scores are not a mixture."}


def test_a_folder_without_an_image_has_another(aligning):
    aligning["outcome"] = NothingValid("None of the 2 files is a readable image.")
    assert align().exit_code == 4


def test_a_pattern_without_a_group_is_named(aligning):
    assert "--patient-pattern: " in align("--patient-pattern", "P").stderr
    assert not aligning["calls"]
