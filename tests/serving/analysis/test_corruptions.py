import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from serving.analysis.corruptions import KINDS, REFERENCE_SIDE, STRENGTHS, corrupt, reduce
from tests.images import grey_pixels

each_kind = pytest.mark.parametrize("kind", KINDS)
SIDES = st.integers(32, 260)


@settings(max_examples=20)
@each_kind
@given(SIDES, SIDES, st.sampled_from(STRENGTHS), st.integers(0, 2**32))
def test_a_corrupted_image_keeps_its_form(kind, width, height, strength, seed):
    pixels = grey_pixels(width, height, seed=3)
    before = pixels.copy()
    corrupted = corrupt(pixels, kind, strength, seed=seed)
    assert (corrupted.shape, corrupted.dtype) == (pixels.shape, np.uint8)
    assert (pixels == before).all()
    assert (corrupt(pixels, kind, strength, seed=seed) == corrupted).all()


def distance(one, other):
    return np.abs(one.astype(float) - other).mean()


@each_kind
@pytest.mark.parametrize("seed", range(5))
def test_more_strength_is_a_greater_distance(kind, seed):
    # Some detail, which blur and JPEG can take away, in the middle of the range of grey.
    generator = np.random.default_rng(seed)
    detail = generator.integers(-20, 21, (224, 224))
    pixels = (60 + grey_pixels(224, 224, seed) // 3 + detail).astype(np.uint8)
    distances = [distance(pixels, corrupt(pixels, kind, each, seed=seed)) for each in STRENGTHS]
    assert distances == sorted(distances)
    assert 0 < distances[0] < distances[-1]


@pytest.mark.parametrize("kind", ["noise", "rotation"])
def test_the_seed_decides_what_is_random(kind):
    pixels = grey_pixels(100, 100)
    results = {corrupt(pixels, kind, 3, seed=seed).tobytes() for seed in range(8)}
    assert len(results) > 1


@pytest.mark.parametrize("kind", ["blur", "contrast", "brightness", "jpeg", "rotation"])
@pytest.mark.parametrize("strength", [1, 5])
def test_small_copies_and_large_originals_are_corrupted_alike(kind, strength):
    large = grey_pixels(1800, 1500, seed=1)
    small = reduce(large)
    assert min(small.shape) == REFERENCE_SIDE
    corrupted = corrupt(small, kind, strength, seed=0)
    half = np.asarray(Image.fromarray(small).resize((134, 112), Image.Resampling.BILINEAR))
    corrupted_half = corrupt(half, kind, strength, seed=0)
    shrunk = np.asarray(Image.fromarray(corrupted).resize((134, 112), Image.Resampling.BILINEAR))
    assert distance(shrunk, corrupted_half) < 8


def test_an_image_that_is_small_enough_stays():
    pixels = grey_pixels(300, REFERENCE_SIDE)
    assert reduce(pixels) is pixels


@given(st.integers(33, 700), st.integers(33, 700))
@settings(max_examples=30)
def test_a_reduced_image_keeps_its_aspect_ratio(width, height):
    reduced = reduce(np.zeros((height, width), np.uint8))
    assert min(reduced.shape) == min(width, height, REFERENCE_SIDE)
    scale = min(reduced.shape) / min(width, height)
    assert reduced.shape == pytest.approx((height * scale, width * scale), abs=0.51)


def test_a_kind_that_is_none_is_refused():
    with pytest.raises(ValueError, match="one of noise, blur"):
        corrupt(grey_pixels(), "snow", 1, seed=0)
    with pytest.raises(ValueError, match="strength"):
        corrupt(grey_pixels(), "blur", 6, seed=0)


def test_the_strengths_are_those_that_are_stated():
    even = np.full((224, 224), 100, np.uint8)
    noise = corrupt(even, "noise", 1, seed=0).astype(float)
    assert noise.std() == pytest.approx(0.08 * 255, rel=0.02)
    assert corrupt(even, "brightness", 5, seed=0) == pytest.approx(np.full((224, 224), 228), abs=1)
    spread = np.tile(np.array([50, 150], np.uint8), (224, 112))
    assert corrupt(spread, "contrast", 5, seed=0).std() == pytest.approx(2.5, abs=0.51)
