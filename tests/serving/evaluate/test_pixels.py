import numpy as np
import pytest

from serving.evaluate.pixels import as_png, describe, grey
from tests.images import FORMATS, encode, grey_pixels

SEEN = np.full((160, 160, 1), 20, np.uint8)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_decoded_and_described(form):
    content = encode(grey_pixels(200, 180), form)
    assert grey(content).shape == (180, 200)
    found = describe(content, SEEN)
    assert (found["width"], found["height"]) == (200, 180)


def test_the_mode_is_the_files():
    assert describe(encode(grey_pixels(), "jpeg-grey"), SEEN)["mode"] == "L"
    assert describe(encode(grey_pixels(), "jpeg-rgb"), SEEN)["mode"] == "RGB"


@pytest.mark.parametrize("content", [b"", b"text", encode(grey_pixels(), "png-grey")[:-40]])
def test_what_cannot_be_decoded_has_no_pixels(content):
    assert grey(content) is None


def test_what_pillow_cannot_read_says_nothing():
    assert describe(b"text", SEEN) == {}


def test_encoding_loses_nothing():
    pixels = grey_pixels(100, 90)
    assert np.array_equal(grey(as_png(pixels)), pixels)


def test_an_image_is_measured_as_the_model_sees_it():
    found = describe(encode(grey_pixels(), "png-grey"), SEEN)
    assert (found["brightness"], found["contrast"]) == (20, 0)
