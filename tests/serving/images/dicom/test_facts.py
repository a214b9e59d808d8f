import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from serving.images.dicom import parsing
from serving.images.dicom.facts import OTHER, Facts, facts_of
from tests.dicom_files import data_set, dicom, written

PIXELS = np.zeros((40, 40), np.uint8)


def facts(**tags) -> Facts:
    return facts_of(parsing.parse(dicom(PIXELS, **tags)))


def code(value: str, meaning: str = "") -> list[Dataset]:
    item = Dataset()
    item.CodeValue, item.CodeMeaning = value, meaning
    return [item]


def test_facts_of_a_chest():
    found = facts(
        PatientID=" 4711 ",
        BodyPartExamined="CHEST",
        ViewPosition="PA",
        ImageLaterality="U",
        BurnedInAnnotation="NO",
    )
    assert found == Facts("DX", "CHEST", "PA", "U", False, "4711")


def test_nothing_is_known_without_tags():
    assert facts(Modality="") == Facts()


@pytest.mark.parametrize("keyword", ["Modality", "BodyPartExamined", "ViewPosition", "Laterality"])
def test_a_text_of_no_vocabulary_is_not_kept(keyword):
    found = facts(**{keyword: "Doe^Jane"})
    assert "Jane" not in repr(found)
    assert OTHER in (found.modality, found.body_part, found.view, found.laterality)


def test_the_patient_is_in_no_text():
    assert "4711" not in repr(facts(PatientID="4711"))


@pytest.mark.parametrize(
    ("written", "view"),
    [("ap", "AP"), ("LL", "LATERAL"), ("LATERAL", "LATERAL"), ("RLD", OTHER), ("", "")],
)
def test_views_by_position(written, view):
    assert facts(ViewPosition=written).view == view


@pytest.mark.parametrize(
    ("sequence", "view"),
    [
        (code("R-10206"), "AP"),
        (code("272479007"), "PA"),
        (code("399067008"), "LATERAL"),
        (code("X", "Postero-anterior"), "PA"),
        (code("399182000", "oblique"), OTHER),
    ],
)
def test_views_by_code(sequence, view):
    assert facts(ViewCodeSequence=sequence).view == view
    assert facts(ViewCodeSequence=sequence, ViewPosition="LL").view == "LATERAL"


@pytest.mark.parametrize(
    ("directions", "view"),
    [(["L", "F"], "FRONTAL"), (["A", "F"], "LATERAL"), (["L", "A"], ""), (["L"], "")],
)
def test_views_by_orientation(directions, view):
    assert facts(PatientOrientation=directions).view == view


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("chest", "CHEST"),
        ("PORT CHEST", "CHEST"),
        ("THORAX", "CHEST"),
        ("Hand", "HAND"),
        ("C-SPINE", "CSPINE"),
        ("SOMETHING", OTHER),
    ],
)
def test_body_parts(written, part):
    assert facts(BodyPartExamined=written).body_part == part


def test_a_body_part_by_code():
    assert facts(AnatomicRegionSequence=code("T-D3000")).body_part == "CHEST"


@pytest.mark.parametrize("written", ["", "ANONYMOUS", "Removed", "0"])
def test_an_id_that_is_nobodys_is_none(written):
    assert facts(PatientID=written).patient_id is None


def test_facts_where_types_of_tags_are_not_written():
    dataset = data_set(PIXELS, PatientID="7", ViewCodeSequence=code("R-10206"))
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    assert facts_of(parsing.parse(written(dataset))).view == "AP"
