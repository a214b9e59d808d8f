import pytest

from serving.images.dataset import PatientsKnown
from serving.images.dicom.facts import OTHER, Facts
from serving.images.dicom.pseudonyms import BY_TAG
from serving.images.dicom.selection import Selection
from serving.images.dicom.settings import DicomSettings


def reason(facts: Facts, **settings) -> str | None:
    return Selection.of(DicomSettings(**settings)).reason_against(facts)


@pytest.mark.parametrize("modality", ["CR", "DX", "SC", ""])
@pytest.mark.parametrize("view", ["PA", "AP", "FRONTAL", ""])
@pytest.mark.parametrize("body_part", ["CHEST", ""])
def test_frontal_chests_are_taken(modality, view, body_part):
    assert reason(Facts(modality, body_part, view)) is None


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (Facts("CT"), "DICOM of the modality CT: dataset.dicom.modalities takes CR, DX"),
        (Facts("DX", "HAND"), "DICOM of the body part HAND: dataset.dicom.body_parts takes CHEST"),
        (Facts(view="LATERAL"), "DICOM of the view LATERAL: dataset.dicom.views takes PA, AP"),
        (Facts(view=OTHER), "DICOM of another view: "),
    ],
)
def test_others_are_refused(facts, words):
    assert reason(facts).startswith(words)


def test_settings_take_others():
    facts = Facts("CT", OTHER, "LATERAL")
    assert reason(facts, modalities=("CT",), body_parts=(OTHER,), views=("LATERAL",)) is None


def test_what_is_not_said_may_be_refused():
    known = Facts("DX", "CHEST", "PA")
    assert reason(known, unknown="quarantine") is None
    refused = reason(Facts("DX", "CHEST"), unknown="quarantine")
    assert refused == "DICOM that does not say its view: dataset.dicom.unknown=take takes it"


def test_it_is_said_that_names_without_a_key_change(tmp_path):
    known = PatientsKnown(images=1, known=1, by={BY_TAG: 1})
    (note,) = Selection.of(DicomSettings()).notes(known)
    assert "dataset.dicom.patient_key" in note
    assert Selection.of(DicomSettings()).notes(PatientsKnown(images=1, known=0, by={})) == ()
    (tmp_path / "key").write_text("0123456789abcdef")
    given = Selection.of(DicomSettings(patient_key=str(tmp_path / "key")))
    assert given.notes(known) == ()
