"""Grey levels of a DICOM image as it is shown: black is 0, white the highest of 8 or 16 bits.

What is shown of a stored value depends on that value alone, so all of it is one table:

1. the modality's lookup table or rescale, then the first of the VOI lookup tables, or else the
   first of the windows: the result is that of pydicom's `apply_modality_lut` and `apply_voi_lut`;
2. a linear scale from the range of the result to all of 8 or 16 bits, rounded. The range is that
   of the lookup table's entries, or what pydicom spreads a window over: all values that can be
   stored, rescaled. Without either, it is that of the fewest bits, an even number of at least 8,
   that all but `BRIGHTEST` of the pixels need: as the transform graph scales a PNG of 16 bits
   (`transform_module.images.depth`), whose rule so finds nothing left to do;
3. the inverse for MONOCHROME1, and for a presentation LUT shape of INVERSE. Both together, as the
   standard wants them (PS3.3, section C.8.11.3.1), are one inversion;
4. black for padding, which belongs to no image (PS3.3, section C.7.5.1.1.2).

The result has 8 bits where what is shown has no more, else 16.
"""

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from serving.images.dicom.parsing import Malformed

if TYPE_CHECKING:
    from pydicom import Dataset

BRIGHTEST: Final = 0.01
"""Share of the pixels that do not decide how many bits are used, as in the transform graph."""

_BITS: Final = (8, 10, 12, 14, 16)
_GRID: Final = 512

DAMAGED: Final = "damaged DICOM: its rescale, window or lookup table is malformed"
"""The reason of a file whose tags do not say how its pixels are shown."""


def grey(dataset: "Dataset", stored: np.ndarray) -> np.ndarray:
    """Returns the pixels of a monochrome image as they are shown.

    Args:
        dataset: the tags.
        stored: [H, W] pixels as they are stored, integers of 8 or 16 bits.

    Returns:
        [H, W] uint8 or uint16.

    Raises:
        Malformed: all levels would be the same, or a lookup table breaks the rules.
        Exception: of many kinds, where tags are malformed.
    """
    kind = np.iinfo(stored.dtype)
    values = np.arange(kind.min, kind.max + 1)
    shown = _shown(dataset, values, stored)
    if shown.black == shown.white:
        raise Malformed(DAMAGED)
    highest = 255 if shown.bits <= 8 else 65_535
    scale = highest / (shown.white - shown.black)
    table = np.clip(np.rint((shown.levels - shown.black) * scale), 0, highest)
    if _is_inverted(dataset):
        table = highest - table
    table[_is_padding(dataset, values)] = 0
    table = table.astype(np.uint8 if shown.bits <= 8 else np.uint16)
    # The bits of a negative number, without the sign, count from behind.
    return np.roll(table, kind.min)[stored.astype(f"u{stored.dtype.itemsize}", copy=False)]


class _Shown(NamedTuple):
    """What is shown of each value: levels, those of black and white, and how many bits they had."""

    levels: np.ndarray
    black: float
    white: float
    bits: int


def _shown(dataset: "Dataset", values: np.ndarray, stored: np.ndarray) -> _Shown:
    from pydicom.pixels.processing import apply_rescale, apply_windowing

    bits, lookup = int(dataset.BitsStored), _Lookup.first(dataset, "ModalityLUTSequence")
    if lookup:
        levels, bits = lookup(values), lookup.bits
    else:
        levels = apply_rescale(values, dataset)
    if voi := _Lookup.first(dataset, "VOILUTSequence"):
        return _Shown(voi(levels), 0, 2**voi.bits - 1, voi.bits)
    if _has_window(dataset):
        # What pydicom spreads a window over.
        depth = int(dataset.ModalityLUTSequence[0].LUTDescriptor[2]) if lookup else 0
        black, white = (0.0, 2.0**depth - 1) if lookup else _range(dataset, bits)
        return _Shown(apply_windowing(levels, dataset), black, white, bits)
    if lookup:
        return _Shown(levels, 0, 2**bits - 1, bits)
    bits = min(bits, _used_bits(dataset, stored))
    black, white = sorted(_range(dataset, bits))
    return _Shown(levels, black, white, bits)


class _Lookup(NamedTuple):
    """A lookup table: its first value, the level of it and of each that follows, and their bits."""

    start: int
    levels: np.ndarray
    bits: int

    @classmethod
    def first(cls, dataset: "Dataset", keyword: str) -> "_Lookup | None":
        """Reads the first table of a sequence, None where it has none."""
        if not dataset.get(keyword):
            return None
        item = dataset[keyword][0]
        number, start, bits = map(int, item.LUTDescriptor)
        # PS3.3, section C.11.1.1: 0 stands for 65,536.
        number, data = number or 2**16, item.LUTData
        if isinstance(data, bytes):
            order = "<" if dataset.original_encoding[1] else ">"
            is_packed = bits <= 8 and len(data) < 2 * number
            levels = np.frombuffer(data, np.uint8 if is_packed else f"{order}u2")
        else:
            levels = np.atleast_1d(np.asarray(data, np.uint16))
        if len(levels) < number:
            raise Malformed(DAMAGED)
        levels = levels[:number].astype(np.int64)
        # Some tables say 8 or 12 bits, and hold more.
        return cls(start, levels, max(bits, int(levels.max()).bit_length()))

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Looks values up; those beyond have the first and the last level."""
        place = np.floor(values).astype(np.int64) - self.start
        return self.levels[np.clip(place, 0, len(self.levels) - 1)]


def _has_window(dataset: "Dataset") -> bool:
    """Whether there is a window that pydicom can apply; others say nothing."""
    if dataset.get("VOILUTFunction") not in ("LINEAR_EXACT", "SIGMOID"):
        dataset.VOILUTFunction = "LINEAR"
    center, width = (_first(dataset.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if center is None or width is None or not np.isfinite([center, width]).all():
        return False
    return width >= 1 if dataset.VOILUTFunction == "LINEAR" else width > 0


def _first(value: Any) -> float | None:
    from pydicom.multival import MultiValue

    if isinstance(value, MultiValue):
        value = value[0] if value else None
    return None if value is None else float(value)


def _range(dataset: "Dataset", bits: int) -> tuple[float, float]:
    """Returns the least and the highest value of some bits, rescaled."""
    low, high = (0.0, 2.0**bits - 1)
    if dataset.PixelRepresentation:
        low, high = -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1
    slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
    if slope is None or intercept is None:
        return low, high
    return low * float(slope) + float(intercept), high * float(slope) + float(intercept)


def _used_bits(dataset: "Dataset", stored: np.ndarray) -> int:
    step = max(min(stored.shape) // _GRID, 1)
    grid = stored[::step, ::step].astype(np.int32)
    if dataset.PixelRepresentation:
        # A negative number needs as many bits as the one that has its bits turned over.
        grid = 2 * np.maximum(grid, ~grid)
    *fewer, most = _BITS
    return next((bits for bits in fewer if (grid >> bits > 0).mean() <= BRIGHTEST), most)


def _is_inverted(dataset: "Dataset") -> bool:
    shape = str(dataset.get("PresentationLUTShape") or "").strip().upper()
    return dataset.PhotometricInterpretation == "MONOCHROME1" or shape == "INVERSE"


def _is_padding(dataset: "Dataset", values: np.ndarray) -> np.ndarray:
    first = dataset.get("PixelPaddingValue")
    if first is None:
        return np.zeros(len(values), bool)
    last = dataset.get("PixelPaddingRangeLimit")
    low, high = sorted((int(first), int(first if last is None else last)))
    return (values >= low) & (values <= high)
