import json
from types import SimpleNamespace

import numpy as np
import pytest

from serving.align import job
from serving.align.alignment import Refused
from serving.align.prior_shift import sigmoid
from serving.evaluate.evaluation_findings import unshown
from serving.images.settings import DatasetSettings
from serving.model import Prediction
from tests.serving.align import places
from transform_module.contract import LABELS, REFERENCE_SCORES
from transform_module.errors import NothingValid, UserError

RECORD = {
    "settings": {"calibration": "platt", "operating_point": {"target": "sensitivity"}},
    "threshold": 0.6,
}


class _Model:
    """Predicts the logit that stands in a file, which begins as a BMP does."""

    def __init__(self, path):
        self.record = json.loads((path / "record.json").read_text())

    def predict(self, images):
        texts = [each.decode().removeprefix("BM") for each in images]
        return [
            Prediction(
                0.5 if each == "broken" else float(np.float32(sigmoid(float(each.split()[0])))),
                "",
                each != "broken",
                each != "broken",
            )
            for each in texts
        ]


@pytest.fixture
def version(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "Model", _Model)
    path = tmp_path / "chest_xray" / "17"
    (path / "assets.extra").mkdir(parents=True)
    (path / "saved_model.pb").touch()
    (path / "record.json").write_text(json.dumps(RECORD))
    known = places.reference(np.random.default_rng(0), 1500)
    content = {
        name: {
            "logits": known.of(label)[0].tolist(),
            "patients": known.of(label)[1].tolist(),
            "out_of_domain": known.flagged[label][0],
            "domain_patients": known.flagged[label][1],
        }
        for label, name in enumerate(LABELS)
    }
    (path / REFERENCE_SCORES).write_text(json.dumps(content))
    return path


@pytest.fixture
def images(tmp_path):
    """Two images of each of 400 patients, of whom a fifth has PNEUMONIA."""
    here = places.place(np.random.default_rng(1), 0.2, 400, images=2)
    folder = tmp_path / "place"
    folder.mkdir()
    for index, (logit, patient) in enumerate(zip(here.logits, here.patients, strict=True)):
        (folder / f"P{patient:03d}_{index}.png").write_text(f"BM{logit} {index}")
    return folder


def found(version, images, **options):
    return job.align_model(version, images, push=False, step=unshown, **options)


def test_a_folder_of_unlabelled_images_gives_the_prevalence(version, images):
    aligned = found(version, images, settings=DatasetSettings(patient_pattern="P([0-9]+)"))
    assert (aligned.alignment.images, aligned.alignment.patients) == (800, 400)
    low, high = aligned.alignment.interval
    assert low < 0.2 < high
    assert aligned.alignment.is_needed
    assert aligned.labels_changed == 0
    assert aligned.published is None


def test_copies_and_broken_files_are_no_patients(version, images):
    for each in sorted(images.iterdir())[299:]:
        each.write_text("broken")
    copied = sorted(images.iterdir())[0].read_text()
    for index in range(50):
        (images / f"copy-{index}.png").write_text(copied)
    with pytest.raises(Refused, match="of 299 patients, and 300 are needed"):
        found(version, images)


def test_a_threshold_by_costs_changes_labels(version, images):
    settings = RECORD["settings"] | {"operating_point": {"target": "cost"}}
    (version / "record.json").write_text(json.dumps(RECORD | {"settings": settings}))
    aligned = found(version, images)
    assert 0 < aligned.labels_changed < 0.2


def test_a_model_that_is_calibrated_otherwise_is_refused(version, images):
    settings = RECORD["settings"] | {"calibration": "temperature"}
    (version / "record.json").write_text(json.dumps(RECORD | {"settings": settings}))
    with pytest.raises(UserError, match=r"trainer\.calibration=platt"):
        found(version, images)


def test_a_place_without_images_is_named(version, tmp_path):
    with pytest.raises(UserError, match="There is no folder"):
        found(version, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "1.png").write_text("broken")
    with pytest.raises(NothingValid, match="None of the 1 files"):
        found(version, tmp_path / "empty")


def test_a_new_version_that_is_not_the_former_one_shifted_is_not_published(version):
    former = _Model(version)
    other = SimpleNamespace(
        record=RECORD, predict=lambda images: [Prediction(0.3, "NORMAL", True, True)]
    )
    with pytest.raises(UserError, match=r"it returns NORMAL with 0\.3000 where"):
        job._check(former, other, [b"0.0 1"], -2.0)
