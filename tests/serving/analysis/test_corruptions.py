import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.analysis.corruptions import (
    KINDS,
    REFERENCE_SIDE,
    STRENGTHS,
    corrupt,
    mean_balanced_error,
    reduce,
)
from serving.analysis.findings import Corruption
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


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.endswith("noise")])
def test_the_seed_decides_what_is_random(kind):
    pixels = grey_pixels(100, 100)
    results = {corrupt(pixels, kind, 3, seed=seed).tobytes() for seed in range(8)}
    assert len(results) > 1


def test_a_large_image_is_corrupted_in_the_benchmarks_size():
    assert min(reduce(grey_pixels(1800, 1500, seed=1)).shape) == REFERENCE_SIDE


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
    with pytest.raises(ValueError, match="one of pixelate, jpeg"):
        corrupt(grey_pixels(), "snow", 1, seed=0)
    with pytest.raises(ValueError, match="strength"):
        corrupt(grey_pixels(), "pixelate", 6, seed=0)


GREY = np.full((224, 224), 100, np.uint8)
SPREAD = np.tile(np.array([50, 150], np.uint8), (224, 112))


@pytest.mark.parametrize(
    ("kind", "strength", "deviation"),
    [
        ("gaussian_noise", 5, 0.08 * 255),
        ("speckle_noise", 5, 0.2 * 100),
        # The variance of n counted photons is n; of 80 in white, 100 / 255 of these.
        ("shot_noise", 5, 255 * (100 / 255 / 80) ** 0.5),
    ],
)
def test_noise_is_as_strong_as_is_stated(kind, strength, deviation):
    noise = corrupt(GREY, kind, strength, seed=0).astype(float)
    assert noise.std() == pytest.approx(deviation, rel=0.03)
    assert noise.mean() == pytest.approx(100, abs=1)


def test_impulses_are_black_and_white_in_equal_parts():
    found = corrupt(GREY, "impulse_noise", 5, seed=0)
    assert (found == 0).mean() == pytest.approx(0.01, abs=0.002)
    assert (found == 255).mean() == pytest.approx(0.01, abs=0.002)


@pytest.mark.parametrize(
    ("kind", "strength", "levels"),
    [
        ("brightness_up", 5, (75, 225)),
        ("brightness_down", 5, (25, 75)),
        ("contrast_up", 5, (20, 180)),
        ("contrast_down", 5, (80, 120)),
        ("gamma_corr_up", 5, (18, 109)),
        ("gamma_corr_down", 5, (132, 206)),
    ],
)
def test_grey_levels_become_what_the_benchmarks_functions_make_of_them(kind, strength, levels):
    found = corrupt(SPREAD, kind, strength, seed=0)[0, :2]
    np.testing.assert_allclose(found, levels, atol=1)


def test_a_blur_is_torchvisions():
    """A window of 3 pixels and a deviation of 0.8: weights 0.2390, 0.5219, 0.2390 each way."""
    point = np.zeros((9, 9), np.uint8)
    point[4, 4] = 255
    row = corrupt(point, "gaussian_blur", 1, seed=0)[4]
    np.testing.assert_allclose(row[2:7], [0, 32, 69, 32, 0], atol=1)


def test_the_mean_balanced_error_is_the_benchmarks():
    def of(sensitivity, specificity):
        return Corruption("pixelate", 9, 0.9, 0.0, sensitivity, specificity, 0.1, 1)

    assert mean_balanced_error([of(1.0, 0.5), of(0.9, 0.9)]) == pytest.approx(0.175)
    assert mean_balanced_error([of(1.0, None)]) is None
    assert mean_balanced_error([]) is None
