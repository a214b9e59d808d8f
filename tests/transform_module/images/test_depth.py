import io

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.conftest import SHARED
from tests.images import FORMATS, encode, grey_pixels, png_of_16_bits
from transform_module.images import image_ops
from transform_module.images.depth import decode_png_of_16_bits

PIXELS = grey_pixels(60, 50)
in_graph = tf.function(image_ops.decode_grey, input_signature=[tf.TensorSpec((), tf.string)])

batch_in_graph = tf.function(
    image_ops.images_to_png, input_signature=[tf.TensorSpec([None], tf.string)]
)


def spread(bits: int) -> np.ndarray:
    """Levels that need so many bits, of which the highest is there."""
    levels = PIXELS.astype(np.uint16) << (bits - 8)
    levels[0, 0] = (1 << bits) - 1
    return levels


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("channels", [None, 2, 3, 4])
def test_the_highest_bits_that_are_used_are_kept(bits, channels):
    samples = spread(bits)
    if channels:
        samples = np.repeat(samples[..., np.newaxis], channels, axis=2)
        if channels in (2, 4):
            samples[..., -1] = 65535
    data = png_of_16_bits(samples)
    assert decode_png_of_16_bits(tf.constant(data))[1] == bits
    found = in_graph(data).numpy()[1:, :, 0]
    np.testing.assert_allclose(found, PIXELS[1:], atol=1 if channels in (3, 4) else 0)


@pytest.mark.parametrize(
    ("highest", "bits"),
    [(0, 8), (255, 8), (256, 10), (1023, 10), (1024, 12), (4096, 14), (16383, 14), (16384, 16)],
)
def test_the_bits_follow_from_the_highest_sample(highest, bits):
    samples = np.full((40, 40), highest, np.uint16)
    assert decode_png_of_16_bits(tf.constant(png_of_16_bits(samples)))[1] == bits


@pytest.mark.slow
@pytest.mark.parametrize("side", [40, 1100])
@pytest.mark.parametrize(("covered", "bits"), [(0.0006, 12), (0.005, 12), (0.05, 16)])
def test_letters_and_broken_pixels_darken_no_image(side, covered, bits):
    samples = np.random.default_rng(7).integers(0, 4096, (side, side), dtype=np.uint16)
    height = max(round(side * covered**0.5), 1)
    samples[3 : 3 + height, 3 : 3 + height] = 65535
    data = png_of_16_bits(samples)
    assert decode_png_of_16_bits(tf.constant(data))[1] == bits
    found = in_graph(data).numpy()[..., 0]
    np.testing.assert_array_equal(found, np.minimum(samples >> (bits - 8), 255))


@settings(max_examples=30)
@given(seed=st.integers(0, 2**31), colours=st.booleans())
def test_an_image_of_all_bits_stays_as_it_always_was(seed, colours):
    shape = (40, 44, 3) if colours else (40, 44)
    samples = np.random.default_rng(seed).integers(0, 65536, shape, dtype=np.uint16)
    samples[0, 0] = 65535
    data = png_of_16_bits(samples)
    by_high_byte = image_ops._luma(tf.io.decode_image(data, channels=0, expand_animations=False))
    np.testing.assert_array_equal(in_graph(data), by_high_byte)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_images_of_8_bits_are_decoded_as_they_always_were(name):
    data = encode(PIXELS, name)
    if name.startswith("jpeg"):
        channels = 3 if name == "jpeg-cmyk" else 1
        wanted = image_ops._luma(tf.io.decode_jpeg(data, channels=channels))
    else:
        wanted = image_ops._luma(tf.io.decode_image(data, channels=0, expand_animations=False))
    np.testing.assert_array_equal(in_graph(data), wanted)


def test_the_batch_decides_nothing():
    dark, bright = (png_of_16_bits(spread(bits)) for bits in (12, 16))
    alone = [batch_in_graph(tf.constant([data])).numpy()[0] for data in (dark, bright)]
    assert batch_in_graph(tf.constant([dark, bright])).numpy().tolist() == alone


def test_real_images_are_seen_again():
    folder = SHARED / "found/13_png16_12bit"
    if not folder.is_dir():
        pytest.skip("no X-ray of 12 bits on this machine (../shared/found/13_png16_12bit)")
    data = (folder / "12bit_in_16.png").read_bytes()
    levels = np.asarray(Image.open(io.BytesIO(data)))
    found = in_graph(data).numpy()[..., 0]
    assert found.max() == 255
    np.testing.assert_array_equal(found, levels >> 4)
