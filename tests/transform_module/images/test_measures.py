import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from tests.images import grey_pixels
from transform_module.images.measures import MEASURES, measure


def test_an_even_image():
    found = measure(np.full((160, 160), 40, np.uint8))
    assert found == {"brightness": 40, "contrast": 0, "sharpness": 0, "border": 40}
    assert tuple(found) == MEASURES


def test_the_border_is_measured_alone():
    pixels = np.zeros((160, 160), np.uint8)
    pixels[8:-8, 8:-8] = 200
    assert measure(pixels)["border"] == 0
    pixels[:8] = 100
    assert 0 < measure(pixels)["border"] < 50


def test_contrast_is_the_standard_deviation():
    pixels = np.zeros((160, 160), np.uint8)
    pixels[:, :80] = 200
    assert measure(pixels)["contrast"] == pytest.approx(100)


def test_a_blurred_image_is_less_sharp():
    pixels = grey_pixels(160, 160)
    blurred = ndimage.gaussian_filter(pixels, 3)
    assert measure(blurred)["sharpness"] < measure(pixels)["sharpness"]


@given(st.integers(40, 90), st.integers(40, 90), st.integers(0, 2**16))
def test_each_measure_is_as_its_definition_says(height, width, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    found = measure(pixels)
    laplacian = ndimage.laplace(pixels.astype(float))[1:-1, 1:-1]
    is_border = np.ones(pixels.shape, bool)
    high, wide = round(height / 20), round(width / 20)
    is_border[high : height - high, wide : width - wide] = False
    assert found["sharpness"] == pytest.approx(laplacian.std())
    assert found["border"] == pytest.approx(pixels[is_border].mean())
    assert found["brightness"] == pytest.approx(pixels.mean())
    assert found["contrast"] == pytest.approx(pixels.std())
