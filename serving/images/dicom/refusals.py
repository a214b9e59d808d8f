"""Reasons to refuse a DICOM file before its pixels are decoded: sizes, colours, compression."""

from typing import TYPE_CHECKING, Final

from serving.images.dicom import codestream
from transform_module.contract import MAXIMUM_PIXELS

if TYPE_CHECKING:
    from pydicom import Dataset

PALETTE: Final = "PALETTE COLOR"
"""The photometric interpretation of indices into a table of colours."""

_GREY: Final = ("MONOCHROME1", "MONOCHROME2")
_COLOURS: Final = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")

# (7FE0,0010) in both byte orders; without it in the data set, the file ends before its end.
_PIXEL_DATA: Final = (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")

# Run lengths are at most a little longer than what they stand for (PS3.5, annex G).
_MOST_OVERHEAD: Final = 2
_RLE_HEADER: Final = 64


def refused(dataset: "Dataset", data: bytes) -> str | None:
    """Says why an image is refused, before it is decoded.

    Args:
        dataset: what was read.
        data: the file it was read from.

    Returns:
        The reason; None where the image can be decoded.

    Raises:
        Exception: of many kinds, where tags are missing or malformed.
    """
    if "PixelData" not in dataset:
        if any(tag in data for tag in _PIXEL_DATA):
            return "truncated DICOM"
        holds_floats = "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset
        return "DICOM of floating-point pixels" if holds_floats else "DICOM without an image"
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        return f"DICOM of {frames} frames: export the one that is meant as a file of its own"
    width, height = int(dataset.Columns), int(dataset.Rows)
    if width * height > MAXIMUM_PIXELS:
        return (
            f"too large: {width}x{height} are {width * height / 1e6:,.1f} million pixels, the "
            f"limit is {MAXIMUM_PIXELS / 1e6:,.0f}"
        )
    allocated, bits = int(dataset.BitsAllocated), int(dataset.BitsStored)
    if allocated not in (8, 16) or bits > allocated:
        return f"DICOM of {bits} bits in {allocated} a pixel: 8 to 16 are read"
    colours, shown = int(dataset.SamplesPerPixel), dataset.PhotometricInterpretation
    if shown not in (_COLOURS if colours == 3 else (*_GREY, PALETTE)) or colours not in (1, 3):
        return "DICOM in colours that are not read: export it as PNG"
    return _refused_pixels(dataset, width, height)


def _refused_pixels(dataset: "Dataset", width: int, height: int) -> str | None:
    """Says why pixels are refused by how they are compressed."""
    from pydicom.encaps import generate_frames
    from pydicom.pixels import get_decoder
    from pydicom.uid import UID, RLELossless
    from pydicom.uid import UID_dictionary as known

    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    advice = "store it uncompressed, or in JPEG 2000"
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        name = syntax.name if syntax in known else "an unknown way"
        return f"DICOM compressed in {name}, which is not read: {advice}"
    if not decoder.is_available:
        return f"DICOM compressed in {syntax.name}, which is not read: {advice}"
    samples = width * height * int(dataset.SamplesPerPixel)
    size = samples * int(dataset.BitsAllocated) // 8
    if dataset.PhotometricInterpretation == "YBR_FULL_422":
        size = size * 2 // 3
    if not syntax.is_encapsulated:
        return "truncated DICOM" if len(dataset.PixelData) < size else None
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    if syntax == RLELossless:
        too_long = len(frame) > _MOST_OVERHEAD * size + _RLE_HEADER
        return "damaged DICOM: its pixels are longer than their image" if too_long else None
    if not codestream.is_whole(frame):
        return "truncated DICOM"
    found = codestream.size_of(frame)
    if found is None or (found.width, found.height) != (width, height):
        return "damaged DICOM: its compressed pixels are of another size than its tags say"
    return None
