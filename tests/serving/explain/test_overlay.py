import numpy as np
import pytest

from serving.explain.overlay import overlay

GREY = np.full((60, 90), 100, np.uint8)


def drawn(heat, grey=GREY):
    return np.asarray(overlay(grey, heat.astype(np.float32))).astype(int)


def test_a_cold_image_is_grey_as_it_is():
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90), np.uint8)
    np.testing.assert_array_equal(
        drawn(np.zeros((160, 160)), pixels), np.repeat(pixels[..., np.newaxis], 3, axis=-1)
    )


def test_heat_lies_where_it_is_in_the_image_and_keeps_its_aspect():
    heat = np.zeros((160, 160))
    heat[:80, 80:] = 1
    pixels = drawn(heat)
    assert pixels.shape == (60, 90, 3)
    coloured = np.ptp(pixels, axis=-1) > 20
    assert coloured[:25, 50:].all()
    assert not coloured[35:].any()
    assert not coloured[:, :40].any()


def test_more_heat_is_brighter_and_more_colourful():
    pixels = drawn(np.tile(np.linspace(0, 1, 160), (160, 1)), np.full((20, 160), 60, np.uint8))
    brightness = pixels[10] @ (0.299, 0.587, 0.114)
    assert (np.diff(brightness[40:]) >= -1).all()
    assert brightness[-1] > brightness[0] + 80


def test_the_image_shows_through_the_hottest_place():
    striped = np.tile(np.array([0, 200], np.uint8).repeat(10), (40, 4))
    row = drawn(np.ones((160, 160)), striped)[20, :, 0]
    assert row[15] - row[5] > 50


@pytest.mark.parametrize(("shape", "size"), [((3000, 1500), (512, 1024)), ((40, 32), (32, 40))])
def test_a_large_image_is_drawn_smaller_and_a_small_one_as_it_is(shape, size):
    assert overlay(np.zeros(shape, np.uint8), np.zeros((160, 160), np.float32)).size == size
