"""The image of a DICOM file as a PNG of its own depth: the same one in training and in serving.

CR, DX, secondary captures and whatever else holds one image, grey or in colours, of 8 to 16 bits.
How grey levels are shown: `levels`. Colours become grey as those of a PNG do in the transform
graph, by their luma.

GDCM, which alone reads JPEG without losses, JPEG-LS and JPEG of 12 bits, aborts the process on one
damaged file in a hundred: files that may be anything come here through
`serving.images.encoding.encoding.encoded`, which runs this in a process apart.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from serving.images.dicom import levels, parsing, refusals
from serving.images.dicom.facts import Facts, facts_of
from serving.images.dicom.parsing import Malformed
from serving.images.dicom.png import png

if TYPE_CHECKING:
    from pydicom import Dataset

# Rec. ITU-R BT.601-7, section 2.5.1, as in `transform_module.images.image_ops`.
_LUMA: Final = (0.299, 0.587, 0.114)


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
        if reason_to_refuse := refusals.refused(dataset, data):
            return reason_to_refuse
        reason = "damaged DICOM: its pixels cannot be decoded"
        stored = _decoded(dataset)
        reason = levels.DAMAGED
        return Rendered(png(_grey(dataset, stored)), facts_of(dataset))
    except Malformed as error:
        return str(error)
    except Exception:  # noqa: BLE001 - pydicom and the decoders raise many kinds, with texts of tags
        return reason


def _decoded(dataset: "Dataset") -> np.ndarray:
    """Returns [H, W] or [H, W, 3] integers."""
    from pydicom.pixels import apply_color_lut, pixel_array

    pixels = pixel_array(dataset, decoding_plugin=_decoder(dataset))
    if dataset.PhotometricInterpretation == refusals.PALETTE:
        pixels = apply_color_lut(pixels, dataset)[..., :3]
    return pixels


def _decoder(dataset: "Dataset") -> str:
    """Returns pydicom's name of the decoder: Pillow where it reads the same as GDCM."""
    from pydicom import uid

    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        return ""
    if syntax == uid.RLELossless:
        return "pydicom"
    if syntax == uid.JPEGExtended12Bit and dataset.BitsStored > 8:
        # Of this syntax pydicom hands GDCM 8 bits alone. GDCM goes by the codestream, and gives
        # 12 bits as DCMTK does (python-gdcm issue 35).
        dataset.file_meta.TransferSyntaxUID = uid.JPEGBaseline8Bit
        return "gdcm"
    by_pillow = {uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, *uid.JPEG2000TransferSyntaxes}
    return "pillow" if syntax in by_pillow else "gdcm"


def _grey(dataset: "Dataset", stored: np.ndarray) -> np.ndarray:
    """Returns [H, W] uint8 or uint16."""
    if stored.ndim == 2:
        return levels.grey(dataset, stored)
    kind = np.uint8 if stored.dtype.itemsize == 1 else np.uint16
    luma = np.zeros(stored.shape[:2], np.float32)
    for channel, weight in enumerate(_LUMA):
        luma += np.float32(weight) * stored[..., channel]
    return np.rint(luma).astype(kind)
