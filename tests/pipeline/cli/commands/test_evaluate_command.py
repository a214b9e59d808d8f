import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from serving.analysis.bootstrap import Bootstrap
from serving.analysis.compute import findings
from serving.evaluate.job import Evaluated
from serving.images.settings import DatasetSettings
from tests.serving.analysis.samples import clustered
from transform_module.errors import NothingValid, UserError


@pytest.fixture
def interrupted(monkeypatch):
    """Stands for an evaluation during which Ctrl-C is pressed."""

    def evaluate(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("serving.evaluate.job.evaluate", evaluate)


@pytest.fixture
def job(monkeypatch):
    """Stands for the evaluation, and remembers what it was called with."""
    calls = []
    found = findings(
        clustered(np.random.default_rng(0), patients=20)[0],
        model="m/1",
        record={},
        data="d",
        threshold=0.5,
        bootstrap=Bootstrap(replicates=20),
    )

    def evaluate(*arguments, **options):
        calls.append((arguments, options))
        return Evaluated(found, [])

    monkeypatch.setattr("serving.evaluate.job.evaluate", evaluate)
    return calls


def cxr(*arguments, code=0):
    result = CliRunner().invoke(main, ["evaluate", *arguments])
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.stderr


REQUIRED = ("model", "images", "--out", "out")


def test_everything_is_handed_on(job):
    printed = cxr(
        *REQUIRED,
        *("--against", "other", "--no-corruptions", "--slice", "site", "--slice", "sex"),
        *("--patient-pattern", "(.)", "--patients", "p.csv"),
    )
    ((arguments, options),) = job
    assert arguments == (Path("model"), Path("images"), Path("out"))
    assert callable(options.pop("step"))
    assert options == {
        "against": Path("other"),
        "corruptions": False,
        "slices": ("site", "sex"),
        "settings": DatasetSettings(patient_pattern="(.)", patients="p.csv"),
    }
    assert "m/1 on d: 60 images of 20 patients" in printed


def test_corrupted_images_are_predicted_unless_refused(job):
    cxr(*REQUIRED)
    assert job[0][1]["corruptions"] is True
    assert job[0][1]["settings"] == DatasetSettings()


def test_json_is_the_findings(job):
    printed = json.loads(cxr(*REQUIRED, "--json"))
    assert (printed["model"], printed["overall"]["images"]) == ("m/1", 60)


def test_images_and_out_are_needed():
    assert "Missing argument 'IMAGES'" in cxr("model", "--out", "out", code=2)
    assert "Missing option '--out'" in cxr("model", "images", code=2)


def test_an_invalid_pattern_is_reported(job):
    assert "--patient-pattern: " in cxr(*REQUIRED, "--patient-pattern", "(", code=1)
    assert job == []


def test_a_users_mistake_is_reported(monkeypatch):
    def evaluate(*arguments, **options):
        raise UserError("There is no model.")

    monkeypatch.setattr("serving.evaluate.job.evaluate", evaluate)
    assert cxr(*REQUIRED, code=1) == "Error: There is no model.\n"


def test_mistakes_are_reported_in_full(tmp_path):
    printed = cxr(str(tmp_path), str(tmp_path), "--out", str(tmp_path / "out"), code=1)
    assert printed.startswith("Error: No model at")


@pytest.mark.usefixtures("interrupted")
def test_ctrl_c_promises_nothing_where_nothing_is_kept():
    assert cxr(*REQUIRED, code=130).endswith("Interrupted.\n")


def test_where_no_image_can_be_used_the_exit_code_says_so(monkeypatch):
    def evaluate(*_, **__):
        raise NothingValid("None of the 2 images can be used.")

    monkeypatch.setattr("serving.evaluate.job.evaluate", evaluate)
    assert cxr(*REQUIRED, code=4) == "Error: None of the 2 images can be used.\n"


def test_where_the_labels_are_is_handed_on(job):
    cxr(
        *REQUIRED,
        *("--labels", "t.csv", "--layout", "chexpert", "--uncertain", "positive"),
        *("--classes", "{NORMAL: [0], PNEUMONIA: [1]}"),
    )
    assert job[0][1]["settings"] == DatasetSettings(
        labels="t.csv",
        layout="chexpert",
        uncertain="positive",
        classes={"NORMAL": ["0"], "PNEUMONIA": ["1"]},
    )


def test_a_mistake_in_the_names_of_the_classes_is_reported(job):
    assert "the keys are NORMAL, PNEUMONIA, LEFT_OUT" in cxr(
        *REQUIRED, "--classes", "{SICK: [1]}", code=1
    )
    assert job == []
