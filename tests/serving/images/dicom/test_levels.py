"""Golden pixels are computed here by numpy from the stored values, not by pydicom."""

import numpy as np
import pydicom
import pytest
from pydicom.pixels import apply_modality_lut, apply_voi_lut

from serving.images.dicom import levels, parsing
from tests.dicom_files import dicom, lookup

RAMP = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
"""All values of 12 bits."""

SIGNED = (RAMP.astype(np.int16) - 2048).astype(np.int16)
FULL = 65_535


def grey(stored: np.ndarray, bits: int | None = None, **tags) -> np.ndarray:
    dataset = parsing.parse(dicom(stored, bits, **tags))
    return levels.grey(dataset, stored)


def scaled(share: np.ndarray, highest: int = FULL) -> np.ndarray:
    return np.rint(np.clip(share, 0, 1) * highest)


def window(values: np.ndarray, center: float, width: float) -> np.ndarray:
    """PS3.3, section C.11.2.1.2.1: the share of white."""
    return (values - (center - 0.5)) / (width - 1) + 0.5


@pytest.mark.parametrize("bits", [10, 11, 12, 13, 14, 15, 16])
def test_all_stored_bits_become_sixteen(bits):
    stored = np.linspace(0, 2**bits - 1, 64 * 64).astype(np.uint16).reshape(64, 64)
    pixels = grey(stored, bits)
    assert pixels.dtype == np.uint16
    assert np.array_equal(pixels, scaled(stored / (2**bits - 1)))


def test_eight_bits_stay_as_they_are():
    stored = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
    assert np.array_equal(grey(stored), stored)
    assert grey(stored).dtype == np.uint8


def test_bits_that_are_not_used_are_not_shown():
    assert np.array_equal(grey(RAMP, 16), grey(RAMP, 12))
    eight = (RAMP >> 4).astype(np.uint16)
    assert np.array_equal(grey(eight, 16), eight)


def test_few_bright_pixels_do_not_decide_about_the_bits():
    marked = RAMP.copy()
    marked[0, :8] = FULL
    expected = grey(RAMP, 12)
    expected[0, :8] = FULL
    assert np.array_equal(grey(marked, 16), expected)


@pytest.mark.parametrize("bits", [12, 16])
def test_monochrome1_is_inverted_within_the_bits_that_are_used(bits):
    pixels = grey(RAMP, bits, PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(pixels, scaled(1 - RAMP / 4095))


@pytest.mark.parametrize("bits", [12, 16])
def test_signed_pixels_are_shown_from_the_least_to_the_highest(bits):
    assert np.array_equal(grey(SIGNED, bits), scaled((SIGNED + 2048) / 4095))


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted"),
    [
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", "INVERSE", True),
        ("MONOCHROME1", "IDENTITY", True),
    ],
)
def test_an_inverse_shape_and_monochrome1_are_one_inversion(photometric, shape, inverted):
    pixels = grey(RAMP, 12, PhotometricInterpretation=photometric, PresentationLUTShape=shape)
    share = RAMP / 4095
    assert np.array_equal(pixels, scaled(1 - share if inverted else share))


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_the_first_window_is_shown(photometric):
    tags = {"WindowCenter": [2000, 100], "WindowWidth": [1000, 50]}
    pixels = grey(RAMP, 12, PhotometricInterpretation=photometric, **tags)
    share = np.clip(window(RAMP, 2000, 1000), 0, 1)
    assert np.array_equal(pixels, scaled(1 - share if photometric == "MONOCHROME1" else share))


def test_a_window_is_in_rescaled_values():
    tags = {"RescaleSlope": 2, "RescaleIntercept": -1000, "WindowCenter": 500, "WindowWidth": 2000}
    assert np.array_equal(grey(RAMP, 12, **tags), scaled(window(RAMP * 2.0 - 1000, 500, 2000)))


def test_a_window_of_signed_values():
    tags = {"WindowCenter": -300, "WindowWidth": 900}
    assert np.array_equal(grey(SIGNED, 12, **tags), scaled(window(SIGNED, -300, 900)))


def test_a_window_over_eight_bits_stays_of_eight():
    stored = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
    expected = scaled(window(stored, 100, 80), 255)
    pixels = grey(stored, WindowCenter=100, WindowWidth=80)
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, expected)


def test_exact_and_sigmoid_windows():
    tags = {"WindowCenter": 2000, "WindowWidth": 1000}
    exact = grey(RAMP, 12, VOILUTFunction="LINEAR_EXACT", **tags)
    expected = scaled((RAMP - 2000.0) / 1000 + 0.5)
    # A half may be rounded either way.
    assert np.abs(exact - expected).max() <= 1
    sigmoid = grey(RAMP, 12, VOILUTFunction="SIGMOID", **tags)
    expected = scaled(1 / (1 + np.exp(-4 * (RAMP - 2000.0) / 1000)))
    assert np.abs(sigmoid - expected).max() <= 1


@pytest.mark.parametrize("width", [0, -5, "", None])
def test_a_window_that_is_none_shows_all(width):
    assert np.array_equal(grey(RAMP, 12, WindowCenter=2000, WindowWidth=width), grey(RAMP, 12))


def test_a_rescale_without_a_window_shows_all():
    assert np.array_equal(grey(RAMP, 12, RescaleSlope=3, RescaleIntercept=-7), grey(RAMP, 12))


@pytest.mark.parametrize("tags", [{}, {"WindowCenter": -2000, "WindowWidth": 4096}])
def test_a_negative_slope_turns_the_levels_over(tags):
    pixels = grey(RAMP, 12, RescaleSlope=-1, RescaleIntercept=0, **tags)
    assert pixels[0, 0] > pixels[-1, -1]


def test_a_modality_lookup_table_is_shown():
    table = list(range(0, 4096, 2))
    pixels = grey(RAMP, 12, ModalityLUTSequence=lookup(1000, table, 12))
    expected = np.array(table)[np.clip(RAMP.astype(int) - 1000, 0, len(table) - 1)]
    assert np.array_equal(pixels, scaled(expected / 4095))


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_a_voi_lookup_table_goes_before_a_window(bits):
    table = np.linspace(2**bits - 1, 0, 1024).astype(int).tolist()
    tags = {"VOILUTSequence": lookup(500, table, bits), "WindowCenter": 9, "WindowWidth": 9}
    pixels = grey(RAMP, 12, **tags)
    expected = np.array(table)[np.clip(RAMP.astype(int) - 500, 0, 1023)]
    assert pixels.dtype == (np.uint8 if bits == 8 else np.uint16)
    assert np.array_equal(pixels, scaled(expected / (2**bits - 1), np.iinfo(pixels.dtype).max))


def test_a_voi_lookup_table_of_rescaled_values_below_zero():
    table = list(range(4096))
    tags = {
        "RescaleSlope": 1,
        "RescaleIntercept": -2048,
        "VOILUTSequence": lookup(-2048, table, 12, signed=True),
    }
    assert np.array_equal(grey(RAMP, 12, **tags), grey(RAMP, 12))


def test_a_lookup_table_of_bytes():
    sequence = lookup(0, [0], 8)
    sequence[0].LUTDescriptor = [4096, 0, 8]
    sequence[0].LUTData = (np.arange(4096) >> 4).astype(np.uint8).tobytes()
    assert np.array_equal(grey(RAMP, 12, VOILUTSequence=sequence), RAMP >> 4)


def test_a_lookup_table_that_is_cut_is_refused():
    sequence = lookup(0, list(range(100)), 12)
    sequence[0].LUTDescriptor = [4096, 0, 12]
    with pytest.raises(parsing.Malformed, match="lookup table is malformed"):
        grey(RAMP, 12, VOILUTSequence=sequence)


def test_a_slope_of_zero_is_refused():
    with pytest.raises(parsing.Malformed, match="rescale"):
        grey(RAMP, 12, RescaleSlope=0, RescaleIntercept=0)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black(photometric):
    stored = np.maximum(RAMP, 100)
    stored[:8] = 17
    tags = {"PixelPaddingValue": 10, "PixelPaddingRangeLimit": 20}
    pixels = grey(stored, 12, PhotometricInterpretation=photometric, **tags)
    assert not pixels[:8].any()
    assert np.array_equal(pixels[8:], grey(stored, 12, PhotometricInterpretation=photometric)[8:])


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"RescaleSlope": 1.5, "RescaleIntercept": -99},
        {"WindowCenter": 1234.5, "WindowWidth": 777},
        {"RescaleSlope": 0.5, "RescaleIntercept": 3, "WindowCenter": 900, "WindowWidth": 1500},
        {"WindowCenter": 900, "WindowWidth": 800, "VOILUTFunction": "SIGMOID"},
        {"VOILUTSequence": lookup(700, list(range(0, 4096, 4)), 12)},
        {"ModalityLUTSequence": lookup(0, list(range(0, FULL + 1, 16)), 16)},
        {
            "ModalityLUTSequence": lookup(0, list(range(0, FULL + 1, 16)), 16),
            "WindowCenter": 9000,
            "WindowWidth": 30000,
        },
    ],
)
def test_what_is_shown_is_what_pydicom_shows(tags):
    file = pydicom.dcmread(pydicom.filebase.DicomBytesIO(dicom(RAMP, 12, **tags)))
    shown = apply_voi_lut(apply_modality_lut(file.pixel_array, file), file).astype(float)
    pixels = grey(RAMP, 12, **tags)
    # Both are rounded, and both ends.
    by_pydicom = (shown - shown.min()) / (shown.max() - shown.min())
    ours = (pixels.astype(float) - pixels.min()) / (int(pixels.max()) - int(pixels.min()))
    assert np.abs(ours - by_pydicom).max() <= 2 / FULL


def test_a_lookup_table_that_holds_more_bits_than_it_says():
    pixels = grey(RAMP, 12, VOILUTSequence=lookup(0, list(range(4096)), 8))
    assert np.array_equal(pixels, scaled(RAMP / 4095))
