import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.images import grey_pixels
from transform_module.images.measures import measure
from transform_module.images.shifts import SHIFTS, shift

IMAGE = grey_pixels(160, 160, seed=3)


def shifted(kind, label=1, count=30):
    return [shift(IMAGE, kind, label, seed=seed) for seed in range(count)]


@pytest.mark.parametrize("kind", SHIFTS)
def test_the_same_seed_shifts_the_same_way_and_another_one_otherwise(kind):
    label = int(kind != "soft NORMAL")
    first, again = (shift(IMAGE, kind, label, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, IMAGE)
    assert len({each.tobytes() for each in shifted(kind, label)}) > 15


@pytest.mark.parametrize(("kind", "left"), [("soft NORMAL", 1), ("soft PNEUMONIA", 0)])
def test_a_shift_of_one_class_leaves_the_other(kind, left):
    np.testing.assert_array_equal(shift(IMAGE, kind, left, seed=5), IMAGE)
    np.testing.assert_array_equal(
        shift(IMAGE, kind, 1 - left, seed=5), shift(IMAGE, "soft", 1 - left, seed=5)
    )


def test_softening_takes_sharpness_and_sharpening_adds_it():
    noise = np.random.default_rng(0).normal(0, 20, IMAGE.shape)
    pixels = np.clip(IMAGE + noise, 0, 255).astype(np.uint8)
    before = measure(pixels)["sharpness"]
    for seed in range(20):
        assert measure(shift(pixels, "soft", 1, seed=seed))["sharpness"] < before
        assert measure(shift(pixels, "sharp", 1, seed=seed))["sharpness"] > before


def test_a_crop_leaves_50_to_90_percent_of_the_area():
    """A ramp shows which part fills the image."""
    ramp = np.tile(np.arange(200, dtype=np.uint8), (200, 1))
    for seed in range(40):
        cropped = shift(ramp, "crop", 1, seed=seed), shift(ramp.T, "crop", 1, seed=seed).T
        shares = [(int(each[100, -1]) - int(each[100, 0]) + 1) / 200 for each in cropped]
        assert 0.48 <= shares[0] * shares[1] <= 0.92
        assert 0.75 <= shares[0] / shares[1] <= 1.35


def test_a_margin_is_black_and_the_rest_the_whole_image():
    for seed in range(20):
        wide = shift(np.full((160, 160), 200, np.uint8), "margin", 1, seed=seed)
        assert wide[80, 80] == 200
        assert wide[[0, -1]].min() <= 100
        assert (wide > 100).mean() > 0.65


@settings(max_examples=40)
@given(
    height=st.integers(3, 300),
    width=st.integers(3, 300),
    kind=st.sampled_from(SHIFTS),
    level=st.sampled_from([0, 128, 255, None]),
    seed=st.integers(0, 2**32),
)
def test_any_image_keeps_its_size(height, width, kind, level, seed):
    pixels = (
        grey_pixels(height, width) if level is None else np.full((height, width), level, np.uint8)
    )
    found = shift(pixels, kind, 1, seed=seed)
    assert found.shape == pixels.shape
    assert found.dtype == np.uint8


def test_an_unknown_kind_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"must be one of crop, .* Received: 'warp'"):
        shift(IMAGE, "warp", 1, seed=0)
