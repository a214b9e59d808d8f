"""DICOM files made for tests."""

import io
import tempfile
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
)

SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"
"""The files that pydicom's package carries."""

_GDCM = {
    "jpeg-lossless": gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    "jpeg-ls": gdcm.TransferSyntax.JPEGLSLossless,
    "jpeg-2000": gdcm.TransferSyntax.JPEG2000Lossless,
    "jpeg-2000-lossy": gdcm.TransferSyntax.JPEG2000,
    "rle": gdcm.TransferSyntax.RLELossless,
}

COMPRESSIONS = ("rle", "jpeg-lossless", "jpeg-ls", "jpeg-2000")
"""Those without losses."""


def data_set(stored: np.ndarray, bits: int | None = None, **tags: Any) -> Dataset:
    """A DX image of [H, W] or [H, W, 3] integers of 8 or 16 bits, of which some are stored."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.Modality = "DX"
    dataset.Rows, dataset.Columns = stored.shape[:2]
    dataset.SamplesPerPixel = 1 if stored.ndim == 2 else 3
    dataset.PhotometricInterpretation = "MONOCHROME2" if stored.ndim == 2 else "RGB"
    if stored.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = 8 * stored.dtype.itemsize
    dataset.BitsStored = bits or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    dataset.PixelData = stored.tobytes()
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
    return dataset


def written(dataset: Dataset, **options: Any) -> bytes:
    """The file of a data set, with preamble and file meta unless `enforce_file_format=False`."""
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, **{"enforce_file_format": True, **options})
    return file.getvalue()


def dicom(stored: np.ndarray, bits: int | None = None, **tags: Any) -> bytes:
    """The uncompressed file of an image, see `data_set`."""
    return written(data_set(stored, bits, **tags))


def lookup(first: int, levels: list[int], bits: int, signed: bool = False) -> list[Dataset]:
    """A sequence of one lookup table."""
    item = Dataset()
    # As the VR that the sign of the stored pixels decides about in files.
    item.add_new("LUTDescriptor", "SS" if signed else "US", [len(levels) % 2**16, first, bits])
    item.add_new("LUTData", "OW", np.array(levels, "<u2").tobytes())
    return [item]


def compressed(data: bytes, how: str) -> bytes:
    """An uncompressed file, compressed by GDCM."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "file.dcm")
        Path(path).write_bytes(data)
        reader, change = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax()
        reader.SetFileName(path)
        assert reader.Read()
        change.SetTransferSyntax(gdcm.TransferSyntax(_GDCM[how]))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(path)
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        return Path(path).read_bytes()


def with_stream(dataset: Dataset, stream: bytes, syntax: str) -> bytes:
    """The file of a data set with other compressed pixels."""
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].is_undefined_length = True
    return written(dataset)


def jpeg_baseline(grey: np.ndarray, **tags: Any) -> bytes:
    """The file of [H, W] uint8 in JPEG with losses, at full quality."""
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=100)
    return with_stream(data_set(grey, **tags), stream.getvalue(), JPEGBaseline8Bit)
