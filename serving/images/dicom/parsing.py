"""DICOM data sets from bytes that may be anything, within limits that are known beforehand.

Of the tags only those are read that say what the image is and how its pixels are shown.
"""

import functools
import io
import logging
import warnings
import zlib
from types import ModuleType
from typing import TYPE_CHECKING, Final

from serving.images.reasons import too_large
from transform_module.contract import MAXIMUM_BYTES

if TYPE_CHECKING:
    from pydicom import Dataset

_MAGIC: Final = b"DICM"
_PREAMBLE: Final = 128

# A file without the preamble begins with an element of group 2 or 8 (DICOM PS3.5, section 7.1), of
# which these are the first that occur.
_FIRST_ELEMENTS: Final = tuple(
    group.to_bytes(2, order) + element.to_bytes(2, order)
    for order in ("little", "big")
    for group, elements in ((2, (0, 1, 2, 16)), (8, (0, 1, 5, 6, 8, 18, 20, 22, 24)))
    for element in elements
)

_MOST_READS: Final = 400_000
"""So many pieces a header is read in at most, about two for each element.

A CR or DX has some hundreds of elements; those of a hostile file would not fit into the memory.
"""

_UNDEFINED: Final = 0xFFFFFFFF
"""The length of an element that ends by a delimiter, as compressed pixels do."""

_MOST_NESTED_BYTES: Final = 4 * 1024**2
"""Largest sequence of those that are read; a lookup table has at most 128 KiB."""

_SEQUENCES: Final = (
    "AnatomicRegionSequence",
    "ModalityLUTSequence",
    "ViewCodeSequence",
    "VOILUTSequence",
)

_KEYWORDS: Final = (
    *_SEQUENCES,
    *("Modality", "PatientID", "BodyPartExamined", "ViewPosition", "PatientOrientation"),
    *("Laterality", "ImageLaterality", "BurnedInAnnotation"),
    *("NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
    *("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleSlope", "RescaleIntercept"),
    *("WindowCenter", "WindowWidth", "VOILUTFunction", "PresentationLUTShape"),
    *(
        f"{part[0]}{colour}PaletteColorLookupTable{part[1]}"
        for colour in ("Red", "Green", "Blue")
        for part in (("", "Descriptor"), ("", "Data"), ("Segmented", "Data"))
    ),
    *("ExtendedOffsetTable", "ExtendedOffsetTableLengths"),
    *("PixelData", "FloatPixelData", "DoubleFloatPixelData"),
)


class Malformed(ValueError):
    """A file that breaks DICOM's rules or a limit; the text is the reason, without any tag's."""


def is_dicom(data: bytes) -> bool:
    """Returns whether bytes look like a DICOM file, with or without preamble and file meta."""
    if data[_PREAMBLE : _PREAMBLE + len(_MAGIC)] == _MAGIC:
        return True
    return data.startswith(_FIRST_ELEMENTS) and len(data) > _PREAMBLE + len(_MAGIC)


@functools.cache
def quiet_pydicom() -> ModuleType:
    """Imports pydicom, and keeps the texts of tags out of its warnings and logs: they are names."""
    import pydicom

    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", module=r"pydicom(\.|$)")
    return pydicom


def parse(data: bytes) -> "Dataset":
    """Reads the tags that are used, and the encoded pixels.

    Args:
        data: the content of a file; anything.

    Returns:
        The data set, with the transfer syntax as its file meta.

    Raises:
        Malformed: it has too much of something.
        Exception: what pydicom raises for a file that is damaged, of many kinds.
    """
    pydicom = quiet_pydicom()
    meta, start = _meta(data)
    syntax = meta.get("TransferSyntaxUID")
    tags = [pydicom.datadict.tag_for_keyword(keyword) for keyword in _KEYWORDS]
    if syntax == pydicom.uid.DeflatedExplicitVRLittleEndian:
        content = _Limited(_inflated(data[start:]))
        dataset = pydicom.filereader.read_dataset(content, False, True, specific_tags=tags)
        syntax = pydicom.uid.ExplicitVRLittleEndian
    else:
        dataset = pydicom.dcmread(_Limited(data), force=True, specific_tags=tags)
    for keyword in _SEQUENCES:
        value = getattr(dataset.get_item(keyword), "value", None)
        if isinstance(value, bytes) and len(value) > _MOST_NESTED_BYTES:
            raise Malformed("damaged DICOM: a sequence is too large")
    if not syntax:
        syntax = _syntax_of(dataset)
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    return dataset


class _Limited(io.BytesIO):
    """Bytes of which a limited number of pieces is read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads += 1
        if self._reads > _MOST_READS:
            raise Malformed("damaged DICOM: it has too many elements")
        return super().read(size)


def _meta(data: bytes) -> tuple["Dataset", int]:
    """Reads the file meta, and finds where it ends."""
    content = _Limited(data)
    has_preamble = data[_PREAMBLE : _PREAMBLE + len(_MAGIC)] == _MAGIC
    content.seek(_PREAMBLE + len(_MAGIC) if has_preamble else 0)
    read_dataset = quiet_pydicom().filereader.read_dataset
    meta = read_dataset(content, False, True, stop_when=lambda tag, *_: tag >> 16 != 2)
    return meta, content.tell()


def _inflated(data: bytes) -> bytes:
    # Without a header of zlib (DICOM PS3.5, section A.5).
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(data, MAXIMUM_BYTES)
    if not inflater.eof:
        long = len(inflated) >= MAXIMUM_BYTES
        raise Malformed(too_large(MAXIMUM_BYTES) if long else "truncated DICOM")
    return inflated


def _syntax_of(dataset: "Dataset") -> str:
    """Returns the transfer syntax of a data set that does not name it, by how it was read."""
    uid = quiet_pydicom().uid
    is_implicit, is_little = dataset.original_encoding
    if getattr(dataset.get_item("PixelData"), "length", 0) == _UNDEFINED:
        raise Malformed("DICOM that does not say how its pixels are compressed")
    if is_implicit:
        return str(uid.ImplicitVRLittleEndian)
    return str(uid.ExplicitVRLittleEndian if is_little else uid.ExplicitVRBigEndian)
