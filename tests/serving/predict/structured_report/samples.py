"""DICOM images, and what else a report is made of."""

import io
import shutil
import subprocess

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.config import disable_value_validation
from pydicom.uid import UID, ExplicitVRLittleEndian

from serving.model import Prediction
from serving.predict.structured_report import referenced_image
from serving.predict.structured_report.observer import Observer
from serving.predict.structured_report.result import Result, result

OBSERVER = Observer("chest_xray", "17", "ab" * 32, 0.25)
PREDICTION = Prediction(0.123456789, "NORMAL", True, True, 1.25, "REVIEW")
HEAT = np.linspace(0, 1, 160 * 160, dtype=np.float32).reshape(160, 160)
CANVAS = np.tile(np.linspace(0, 255, 300).astype(np.uint8), (400, 1))

TAGS = {
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1",
    "SOPInstanceUID": "1.2.3.4.5",
    "StudyInstanceUID": "1.2.3",
    "SeriesInstanceUID": "1.2.3.4",
    "PatientName": "Doe^Jane",
    "PatientID": "A-1",
    "PatientBirthDate": "19700102",
    "PatientSex": "F",
    "StudyDate": "20200102",
    "StudyTime": "101112",
    "StudyID": "S1",
    "AccessionNumber": "ACC1",
    "ReferringPhysicianName": "Roe^Richard",
    "StudyDescription": "CHEST",
    "Modality": "DX",
    "PatientOrientation": ["L", "F"],
}


def dicom(pixels=None, **tags) -> bytes:
    """A DX image's file; a tag that is None is left out."""
    image = Dataset()
    with disable_value_validation():
        for name, value in {**TAGS, **tags}.items():
            if value is not None:
                setattr(image, name, value)
        if pixels is not None:
            image.Rows, image.Columns = pixels.shape
            image.SamplesPerPixel, image.PixelRepresentation = 1, 0
            image.PhotometricInterpretation = "MONOCHROME2"
            image.BitsAllocated = image.BitsStored = 8
            image.HighBit = 7
            image.PixelData = pixels.tobytes()
        file = io.BytesIO()
        image.ensure_file_meta()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4.5")
        image.file_meta.MediaStorageSOPClassUID = UID(TAGS["SOPClassUID"])
        image.save_as(file, enforce_file_format=True)
    return file.getvalue()


def image(**tags) -> Dataset:
    """What a report takes from a DX image."""
    read = referenced_image.read(dicom(**tags))
    assert isinstance(read, Dataset), read
    return read


def files(prediction=PREDICTION, **tags) -> Result:
    """The files of a prediction."""
    return result(image(**tags), prediction, CANVAS, HEAT, OBSERVER)


def errors(content: bytes, folder) -> list[str]:
    """What `dciodvfy` finds wrong with a file."""
    if not shutil.which("dciodvfy"):
        pytest.skip("dciodvfy is not installed (Debian's package dicom3tools)")
    (folder / "x.dcm").write_bytes(content)
    done = subprocess.run(
        ["dciodvfy", "-new", str(folder / "x.dcm")], capture_output=True, check=False
    )
    lines = (done.stdout + done.stderr).decode(errors="replace").splitlines()
    # It names the kind of the object once it has read all of it.
    assert {"ComprehensiveSR", "SCImage"} & set(lines)
    return [line for line in lines if line.startswith("Error")]
