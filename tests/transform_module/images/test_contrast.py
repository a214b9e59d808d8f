import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageOps

from tests.images import grey_pixels
from transform_module.images import contrast

BOTH = pytest.mark.parametrize("spread", [contrast.stretch, contrast.equalize])
sides = st.integers(1, 12)
images = st.tuples(sides, sides, st.just(1)).flatmap(lambda shape: arrays.arrays(np.uint8, shape))
quick = settings(max_examples=60)


@BOTH
@quick
@given(image=images)
def test_no_two_pixels_change_their_order(spread, image):
    made = spread(tf.constant(image)).numpy()
    assert made.shape == image.shape
    assert made.dtype == np.uint8
    order = np.argsort(image, axis=None, kind="stable")
    assert (np.diff(made.reshape(-1)[order].astype(int)) >= 0).all()
    for level in np.unique(image):
        assert len(np.unique(made[image == level])) == 1


@BOTH
@quick
@given(level=st.integers(0, 255), height=sides, width=sides)
def test_a_constant_image_stays_as_it_is(spread, level, height, width):
    image = np.full((height, width, 1), level, np.uint8)
    np.testing.assert_array_equal(spread(tf.constant(image)), image)


@BOTH
@quick
@given(image=images)
def test_levels_are_spread_from_black_to_white(spread, image):
    made = spread(tf.constant(image)).numpy()
    # Of fewer than 100 pixels the percentiles are the extremes.
    if len(np.unique(image)) > 1 and image.size < 100:
        assert (made.min(), made.max()) == (0, 255)


@quick
@given(
    image=arrays.arrays(np.uint8, (9, 9, 1), elements=st.integers(0, 60)), lift=st.integers(0, 75)
)
def test_a_darker_or_flatter_exposure_of_the_same_looks_the_same(image, lift):
    exposed = image * 3 + lift
    for spread in (contrast.stretch, contrast.equalize):
        one, other = spread(tf.constant(image)), spread(tf.constant(exposed))
        if len(np.unique(image)) > 1:
            np.testing.assert_array_equal(one, other)


def test_a_few_bright_pixels_do_not_decide_the_range():
    image = grey_pixels(100, 100) // 4
    image[0, :50] = 255
    made = contrast.stretch(tf.constant(image[..., None])).numpy()[1:]
    assert made.max() > 230


def test_equalized_levels_are_about_equally_frequent():
    image = (grey_pixels(200, 200) / 255) ** 3 * 255
    made = contrast.equalize(tf.constant(image.astype(np.uint8)[..., None])).numpy()
    counts, _ = np.histogram(made, 4, (0, 256))
    assert np.ptp(counts) < made.size / 8


def test_equalizes_about_as_pillow_does():
    image = grey_pixels(200, 180) // 2 + 40
    made = contrast.equalize(tf.constant(image[..., None])).numpy()[..., 0]
    wanted = np.asarray(ImageOps.equalize(Image.fromarray(image)))
    assert np.abs(made.astype(int) - wanted).max() <= 3
