import pytest
from pydicom import Dataset

from serving.predict.structured_report.instance import attributes, identify
from tests.serving.predict.structured_report.samples import OBSERVER, TAGS, image

COPIED = {
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID"),
    *("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"),
    "StudyDescription",
}


def test_a_record_is_that_of_the_image_and_no_more():
    instance = Dataset()
    identify(instance, image(PatientAddress="Street 1", PatientComments="Comment"))
    assert {each.keyword: str(each.value) for each in instance} == {
        name: TAGS[name] for name in COPIED
    }


def test_what_an_image_lacks_is_there_and_empty():
    instance = Dataset()
    names = sorted(COPIED - {"StudyInstanceUID"})
    identify(instance, image(**dict.fromkeys(names)))
    assert not any(instance[name].value for name in names if name != "StudyDescription")
    assert "StudyDescription" not in instance


def test_who_issued_a_number_is_kept():
    other = Dataset()
    other.PatientID = "B-2"
    instance = Dataset()
    identify(instance, image(IssuerOfPatientID="Hospital", OtherPatientIDsSequence=[other]))
    assert instance.IssuerOfPatientID == "Hospital"
    assert instance.OtherPatientIDsSequence[0].PatientID == "B-2"


@pytest.mark.parametrize("description", ["prediction of a model", "heat map of a model"])
def test_the_attributes_fit_into_dicom(description):
    made = attributes(OBSERVER, description, number=9001)
    assert len(made["series_description"]) <= 64
    assert len(made["device_serial_number"]) <= 64
