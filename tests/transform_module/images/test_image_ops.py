import functools
import io
import struct

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.images import FORMATS, encode, grey_pixels
from transform_module.contract import IMAGE_SIZE
from transform_module.images import image_ops
from transform_module.settings import TransformSettings

GOOD = encode(grey_pixels(), "jpeg-grey")
in_graph = tf.function(image_ops.images_to_png, input_signature=[tf.TensorSpec([None], tf.string)])


def png_header(width: int, height: int) -> bytes:
    header = struct.pack(">II", width, height) + b"\x08\x00\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + header + b"\x00" * 4


@pytest.mark.parametrize("name", FORMATS)
def test_decodes_every_format_to_the_same_grey(name):
    pixels = grey_pixels()
    decoded = image_ops.decode_grey(tf.constant(encode(pixels, name))).numpy()
    assert decoded.shape == (*pixels.shape, 1)
    # JPEG's own loss on a smooth image; GIF and palettes of grey keep every level.
    assert np.abs(decoded[..., 0].astype(int) - pixels).mean() < 2


def test_colours_become_luma():
    colours = np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(colours).save(file, "PNG")
    decoded = image_ops.decode_grey(tf.constant(file.getvalue())).numpy()[..., 0]
    luma = np.asarray(Image.fromarray(colours).convert("L"))
    assert np.abs(decoded.astype(int) - luma).max() <= 1


@pytest.mark.parametrize(
    "damaged",
    {
        "empty": b"",
        "one byte": b"\xff",
        "text": b"patient,label\n1,NORMAL\n",
        "start of a JPEG": b"\xff\xd8\xff",
        "truncated JPEG": GOOD[: len(GOOD) // 2],
        "without its end": GOOD[:-3],
        "DICOM": b"\x00" * 128 + b"DICM" + b"\x00" * 500,
        "TIFF": b"II*\x00" + b"\x00" * 500,
        "small": encode(grey_pixels(31, 100), "png-grey"),
        "a bomb of 400 megapixels": png_header(20_000, 20_000),
        "a size that overflows": png_header(2**31 - 1, 2**31 - 1),
        "a negative size": png_header(2**32 - 1, 2**32 - 1),
    }.items(),
    ids=lambda item: item[0],
)
def test_refuses_what_is_not_an_image(damaged):
    with pytest.raises(tf.errors.InvalidArgumentError):
        image_ops.decode_grey(tf.constant(damaged[1]))


def test_names_what_is_wrong():
    with pytest.raises(tf.errors.InvalidArgumentError, match="too small"):
        image_ops.decode_grey(tf.constant(encode(grey_pixels(31, 100), "png-grey")))
    with pytest.raises(tf.errors.InvalidArgumentError, match="too large"):
        image_ops.decode_grey(tf.constant(png_header(20_000, 20_000)))


def test_resizes_with_antialiasing():
    # Stripes of one pixel become grey; without antialiasing they would alias to stripes.
    stripes = np.zeros((800, 800, 1), np.uint8)
    stripes[:, ::2] = 255
    resized = image_ops.standardize(tf.constant(stripes)).numpy()
    assert resized.shape == (IMAGE_SIZE, IMAGE_SIZE, 1)
    assert resized[5:-5, 5:-5].std() < 10


@settings(max_examples=40)
@given(height=st.integers(32, 300), width=st.integers(32, 300), level=st.integers(1, 255))
def test_padding_keeps_the_aspect_ratio_and_centres_the_image(height, width, level):
    image = tf.fill((height, width, 1), tf.constant(level, tf.uint8))
    padded = image_ops.standardize(image, TransformSettings(resize="pad")).numpy()[..., 0]
    assert padded.shape == (IMAGE_SIZE, IMAGE_SIZE)
    rows, columns = (padded > 0).any(axis=1), (padded > 0).any(axis=0)
    # A block of one level in black.
    np.testing.assert_array_equal(padded, level * np.outer(rows, columns))
    longest = max(height, width)
    for shown, side in ((rows, height), (columns, width)):
        assert abs(shown.sum() - IMAGE_SIZE * side / longest) <= 0.5
        first, last = np.flatnonzero(shown)[[0, -1]]
        assert last - first + 1 == shown.sum()
        assert first - (IMAGE_SIZE - 1 - last) in (0, -1)


def test_an_image_as_narrow_as_a_line_is_padded_too():
    padded = image_ops.standardize(
        tf.fill((32, 20_000, 1), tf.constant(9, tf.uint8)), TransformSettings(resize="pad")
    )
    assert padded.shape == (IMAGE_SIZE, IMAGE_SIZE, 1)
    assert padded.numpy().sum() == 9 * IMAGE_SIZE


def test_the_padding_takes_no_part_in_the_contrast():
    dim = grey_pixels(100, 300) // 4 + 90
    chosen = TransformSettings(resize="pad", contrast="percentile")
    padded = image_ops.standardize(tf.constant(dim[..., None]), chosen).numpy()[..., 0]
    shown = padded[:, 53:107]
    assert not padded[:, :53].any()
    assert not padded[:, 107:].any()
    assert (shown.min(), shown.max()) == (0, 255)


@pytest.mark.slow
@pytest.mark.parametrize("contrast", ["none", "percentile", "equalize"])
@pytest.mark.parametrize("resize", ["squash", "pad"])
def test_each_choice_decodes_in_a_graph_as_it_does_eagerly(resize, contrast):
    chosen = TransformSettings(resize=resize, contrast=contrast)
    graph = tf.function(
        functools.partial(image_ops.images_to_png, settings=chosen),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    good, broken = graph(tf.constant([GOOD, b"broken"])).numpy()
    expected = image_ops.standardize(image_ops.decode_grey(tf.constant(GOOD)), chosen)
    np.testing.assert_array_equal(image_ops.png_to_pixels(good, IMAGE_SIZE), expected)
    assert broken == b""


@pytest.mark.parametrize("shape", [(400, 520), (160, 90), (61, 47)])
def test_by_default_an_image_is_resized_as_pillow_does_with_antialiasing(shape):
    noise = np.random.default_rng(4).integers(0, 256, shape, dtype=np.uint8)
    wanted = Image.fromarray(noise).resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BILINEAR)
    found = image_ops.standardize(tf.constant(noise[..., np.newaxis])).numpy()[..., 0]
    # Pillow rounds between the two axes.
    np.testing.assert_allclose(found, np.asarray(wanted, float), atol=1.5)


def test_one_broken_image_leaves_its_batch_unchanged():
    good = [encode(grey_pixels(seed=index), "png-grey") for index in range(8)]
    alone = [in_graph(tf.constant([image])).numpy()[0] for image in good]
    batch = in_graph(tf.constant([*good[:5], b"broken", *good[5:]])).numpy().tolist()
    assert batch == [*alone[:5], b"", *alone[5:]]


def test_empty_and_all_broken_batches():
    assert in_graph(tf.constant([], tf.string)).shape == (0,)
    assert in_graph(tf.constant([b"", b"x"])).numpy().tolist() == [b"", b""]


def test_what_is_stored_is_what_the_model_sees():
    stored = in_graph(tf.constant([GOOD, b"broken"]))
    pixels, valid = image_ops.model_inputs(stored, IMAGE_SIZE)
    expected = image_ops.standardize(image_ops.decode_grey(tf.constant(GOOD))) / 255
    assert valid.numpy().tolist() == [True, False]
    np.testing.assert_array_equal(pixels[0], tf.cast(expected, tf.float32))
    assert not pixels[1].numpy().any()
    assert pixels.dtype == tf.float32


@settings(max_examples=60)
@given(
    name=st.sampled_from(sorted(FORMATS)),
    cut=st.floats(0, 1),
    place=st.floats(0, 1),
    noise=st.binary(max_size=40),
)
def test_damage_never_reaches_the_neighbour(name, cut, place, noise):
    image = encode(grey_pixels(60, 50), name)
    start = int(place * len(image))
    mutated = image[:start] + noise + image[start + len(noise) :]
    mutated = mutated[: int(cut * len(mutated))]
    rows = in_graph(tf.constant([mutated, GOOD])).numpy()
    assert rows[1] == in_graph(tf.constant([GOOD])).numpy()[0]
