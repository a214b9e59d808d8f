import numpy as np
import pytest

from serving.evaluate.pixels import as_png, describe, grey
from tests.images import FORMATS, encode, grey_pixels
from transform_module.settings import TransformSettings


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_decoded_and_described(form):
    content = encode(grey_pixels(200, 180), form)
    assert grey(content).shape == (180, 200)
    assert grey(content, TransformSettings()).shape == (160, 160)
    found = describe(content, TransformSettings())
    assert (found["width"], found["height"]) == (200, 180)
    assert found["brightness"] == pytest.approx(grey_pixels(200, 180).mean(), abs=4)


def test_the_mode_is_the_files():
    assert describe(encode(grey_pixels(), "jpeg-grey"), TransformSettings())["mode"] == "L"
    assert describe(encode(grey_pixels(), "jpeg-rgb"), TransformSettings())["mode"] == "RGB"


@pytest.mark.parametrize("content", [b"", b"text", encode(grey_pixels(), "png-grey")[:-40]])
def test_what_cannot_be_decoded_says_nothing(content):
    assert grey(content) is None
    assert describe(content, TransformSettings()) == {}


def test_encoding_loses_nothing():
    pixels = grey_pixels(100, 90)
    assert np.array_equal(grey(as_png(pixels)), pixels)


def test_an_image_is_measured_as_the_model_sees_it():
    content = encode(grey_pixels() // 4, "png-grey")
    flat = describe(content, TransformSettings())
    spread = describe(content, TransformSettings(contrast="percentile"))
    assert spread["contrast"] > 2 * flat["contrast"]
