import pytest
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from serving.predict.structured_report import concepts
from transform_module.contract import LABELS, REVIEW

ALL = {
    name: value
    for name, value in vars(concepts).items()
    if isinstance(value, Code) and name[0] != "_"
}


@pytest.mark.parametrize("name", ALL)
def test_a_code_of_dicoms_lists_has_the_meaning_that_it_has_there(name):
    known = {
        "COMMENT": codes.DCM.Comment,
        "DEVICE": codes.DCM.Device,
        "ARTIFICIAL_INTELLIGENCE": codes.DCM.ArtificialIntelligence,
        "SALIENCY": codes.DCM.Saliency,
        "PROCESSED_IMAGE": codes.DCM.SourceImageForImageProcessingOperation,
        "PRESENT": codes.SCT.Present,
        "ABSENT": codes.SCT.Absent,
        "YES": codes.SCT.Yes,
        "NO": codes.SCT.No,
        "NO_UNITS": codes.UCUM.NoUnits,
    }
    if name in known:
        assert (ALL[name], ALL[name].meaning) == (known[name], known[name].meaning)
    else:
        # SNOMED CT's own, which pydicom does not carry, and ours.
        assert ALL[name].scheme_designator in ("SCT", "99CXR")


@pytest.mark.parametrize("name", ALL)
def test_a_code_fits_into_dicom(name):
    assert len(ALL[name].value) <= 16
    assert len(ALL[name].meaning) <= 64


def test_each_triage_has_a_code():
    assert set(concepts.TRIAGES) == {*LABELS, REVIEW}


def test_our_own_scheme_is_identified():
    assert concepts.own_scheme().CodingSchemeDesignator == concepts.TRIAGE.scheme_designator
