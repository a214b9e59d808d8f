import numpy as np
import pydicom
import pytest

from serving.images.dicom import parsing
from tests.dicom_files import data_set, dicom, lookup, written
from tests.images import encode, grey_pixels

PIXELS = np.zeros((40, 40), np.uint16)


def test_only_tags_that_are_used_are_read():
    dataset = parsing.parse(dicom(PIXELS, PatientName="Doe^Jane", PatientID="7"))
    assert "PatientName" not in dataset
    assert dataset.PatientID == "7"


@pytest.mark.parametrize("name", ["jpeg-grey", "png-grey", "bmp-grey", "gif"])
def test_other_images_are_not_dicom(name):
    assert not parsing.is_dicom(encode(grey_pixels(), name))


def test_a_sequence_that_is_too_large_is_refused():
    items = lookup(0, list(range(2**16 - 1)), 16) * 40
    data = written(data_set(PIXELS, VOILUTSequence=items))
    with pytest.raises(parsing.Malformed, match="a sequence is too large"):
        parsing.parse(data)


def test_pixels_of_an_unknown_compression_are_refused():
    dataset = data_set(PIXELS)
    dataset.PixelData = pydicom.encaps.encapsulate([b"x" * 10])
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.JPEG2000Lossless
    data = written(dataset)
    # Without the file meta, which says it.
    start = data.index(b"\x08\0\x16\0UI")
    with pytest.raises(parsing.Malformed, match="does not say how its pixels are compressed"):
        parsing.parse(data[start:])
