"""The image of a DICOM file as a PNG of its own depth: the same one in training and in serving.

CR, DX, secondary captures and whatever else holds one image, grey or in colours, of 8 to 16 bits.
How grey levels are shown: `levels`. Colours become grey as those of a PNG do in the transform
graph, by their luma.
"""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from serving.images.dicom import codestream, levels, parsing
from serving.images.dicom.facts import Facts, facts_of
from serving.images.dicom.parsing import Malformed
from transform_module.contract import MAXIMUM_PIXELS

if TYPE_CHECKING:
    from pydicom import Dataset

_GREY: Final = ("MONOCHROME1", "MONOCHROME2")
_PALETTE: Final = "PALETTE COLOR"
_COLOURS: Final = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")

# Rec. ITU-R BT.601-7, section 2.5.1, as in `transform_module.images.image_ops`.
_LUMA: Final = (0.299, 0.587, 0.114)

# Of noisy X-rays of 16 bits, zlib's higher levels make files 3 % smaller in three times the time.
_PNG_LEVEL: Final = 1

# Each byte is a literal at worst, with a count for each 128 of them (PS3.5, annex G).
_RLE_OVERHEAD: Final = 1.01
_RLE_HEADER: Final = 64


@dataclass(frozen=True, slots=True)
class Rendered:
    """The image of a DICOM file, and what its tags say.

    Attributes:
        png: grey, 8 bits where the pixels have no more, else 16; black is 0 and white the highest.
        facts: of its tags.
    """

    png: bytes
    facts: Facts


def is_dicom(data: bytes) -> bool:
    """Returns whether bytes look like a DICOM file, with or without preamble and file meta."""
    return parsing.is_dicom(data)


def render(data: bytes) -> Rendered | str:
    """Renders the image of a DICOM file.

    Args:
        data: the content of a file; anything.

    Returns:
        The image; or why there is none: a few words, then often a colon and the particulars,
        without any tag's text. Never raises for what the bytes are.
    """
    reason = "damaged DICOM: its tags cannot be read"
    try:
        dataset = parsing.parse(data)
        if refused := _refused(dataset):
            return refused
        reason = "damaged DICOM: its pixels cannot be decoded"
        stored = _decoded(dataset)
        reason = levels.DAMAGED
        return Rendered(_png(_grey(dataset, stored)), facts_of(dataset))
    except Malformed as error:
        return str(error)
    except Exception:  # noqa: BLE001 - pydicom and the decoders raise many kinds, with texts of tags
        return reason


def _refused(dataset: "Dataset") -> str | None:
    """Says why an image is refused before it is decoded."""
    if "PixelData" not in dataset:
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
    if shown not in (_COLOURS if colours == 3 else (*_GREY, _PALETTE)) or colours not in (1, 3):
        return "DICOM in colours that are not read: export it as PNG"
    return _refused_stream(dataset, width, height)


def _refused_stream(dataset: "Dataset", width: int, height: int) -> str | None:
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
    if not syntax.is_encapsulated:
        return None
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    if syntax == RLELossless:
        samples = width * height * int(dataset.SamplesPerPixel)
        raw = samples * int(dataset.BitsAllocated) // 8
        too_long = len(frame) > _RLE_OVERHEAD * raw + _RLE_HEADER + height * 16
        return "damaged DICOM: its pixels are longer than their image" if too_long else None
    size = codestream.size_of(frame)
    if size is None or (size.width, size.height) != (width, height):
        return "damaged DICOM: its compressed pixels are of another size than its tags say"
    return None


def _decoded(dataset: "Dataset") -> np.ndarray:
    """Returns [H, W] or [H, W, 3] integers."""
    from pydicom.pixels import apply_color_lut, pixel_array
    from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit

    if dataset.file_meta.TransferSyntaxUID == JPEGExtended12Bit and dataset.BitsStored > 8:
        # Of this syntax pydicom hands GDCM 8 bits alone. GDCM goes by the codestream, and gives
        # 12 bits as DCMTK does (python-gdcm issue 35).
        dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    pixels = pixel_array(dataset)
    if dataset.PhotometricInterpretation == _PALETTE:
        pixels = apply_color_lut(pixels, dataset)[..., :3]
    return pixels


def _grey(dataset: "Dataset", stored: np.ndarray) -> np.ndarray:
    """Returns [H, W] uint8 or uint16."""
    if stored.ndim == 2:
        return levels.grey(dataset, stored)
    kind = np.uint8 if stored.dtype.itemsize == 1 else np.uint16
    luma = np.zeros(stored.shape[:2], np.float32)
    for channel, weight in enumerate(_LUMA):
        luma += np.float32(weight) * stored[..., channel]
    return np.rint(luma).astype(kind)


def _png(pixels: np.ndarray) -> bytes:
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "PNG", compress_level=_PNG_LEVEL)
    return encoded.getvalue()
