import numpy as np
import pytest

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
    from scipy.ndimage import gaussian_filter

    pixels = grey_pixels(160, 160)
    assert measure(gaussian_filter(pixels, 3))["sharpness"] < measure(pixels)["sharpness"]
