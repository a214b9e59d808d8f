import io

import pytest
from pydicom import Dataset, dcmread

from serving.predict.structured_report.referenced_image import read
from tests.serving.predict.structured_report.samples import TAGS, dicom


def test_only_what_a_report_takes_is_read():
    image = read(dicom(PatientAddress="Street 1", PatientComments="Comment"))
    assert isinstance(image, Dataset)
    assert image.PatientName == "Doe^Jane"
    assert {each.keyword for each in image} == set(TAGS) - {"Modality"}


@pytest.mark.parametrize(
    "name", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"]
)
def test_an_image_that_nothing_can_refer_to_is_refused_with_a_sentence(name):
    assert read(dicom(**{name: None})).startswith(f"the DICOM header has no {name}, by which")
    assert read(dicom(**{name: ""})).startswith(f"the DICOM header has no {name}, by which")
    damaged = f"the {name} in the DICOM header is not a valid UID"
    assert read(dicom(**{name: "1.2.x"})) == damaged
    assert read(dicom(**{name: ["1.2.3", "1.2.4"]})) == damaged


def test_a_class_that_dicom_does_not_know_is_refused():
    assert "is not one of DICOM's" in read(dicom(SOPClassUID="1.2.3.4.5.6"))


def test_a_tag_of_another_type_is_refused():
    content = dicom()
    as_bytes = content.replace(b"\x10\0\x20\0LO\x04\0A-1 ", b"\x10\0\x20\0US\x04\0A-1 ")
    assert as_bytes != content
    assert read(as_bytes) == "the PatientID in the DICOM header is not of its type"


def test_a_damaged_header_is_refused_without_a_word_of_it(recwarn):
    content = dicom()
    start = content.index(b"Doe^Jane")
    # The length of the name leads out of the file.
    damaged = content[: start - 2] + b"\xf0\xff" + content[start:]
    reason = read(damaged)
    assert isinstance(reason, str)
    assert "Doe" not in reason
    assert not recwarn.list


def test_a_patient_who_cannot_be_known_is_refused():
    content = dicom(SpecificCharacterSet="ISO_IR 192", PatientID="A-1")
    assert isinstance(read(content), Dataset)
    reason = read(content.replace(b"A-1 ", b"A-\xff "))
    assert reason.startswith("texts in the DICOM header are not of its character set")


def test_a_file_without_preamble_and_file_meta_is_read():
    file = io.BytesIO()
    bare = dcmread(io.BytesIO(dicom()))
    del bare.file_meta, bare.preamble
    bare.save_as(file, implicit_vr=True, little_endian=True)
    assert read(file.getvalue()).PatientID == "A-1"
