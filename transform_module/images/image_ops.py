"""Pixels from encoded images: the one path that training, evaluation and serving share.

All functions run eagerly and inside graphs. An image travels between Transform and the model as a
PNG of its final pixels: losslessly compressed, about a third of the raw bytes.
"""

from collections.abc import Callable

import tensorflow as tf

from transform_module import own_function
from transform_module.contract import MAXIMUM_PIXELS, MINIMUM_SIDE
from transform_module.images import contrast, orientation
from transform_module.images.depth import decode_png_of_16_bits
from transform_module.settings import TransformSettings

# Rec. ITU-R BT.601-7, section 2.5.1: the luma that JPEG (T.871) and Pillow's mode L use too.
_LUMA = (0.299, 0.587, 0.114)

# A fixed number of decoding threads serves single images faster than AUTOTUNE, which first has
# to measure.
_PARALLEL_DECODES = 4

# Of images of the model's size, zlib's level 4 makes files as small as its default 6 in half the
# time (1.4 and 2.6 ms; level 3 takes 0.9 ms, and 13 % more room).
_PNG_LEVEL = 4

_DEFAULTS = TransformSettings()

_CONTRAST: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "none": tf.identity,
    "percentile": contrast.stretch,
    "equalize": contrast.equalize,
}

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_GIF = b"GIF8"
_BMP = b"BM"
_APP14 = 0xEE


def decode_grey(image_bytes: tf.Tensor) -> tf.Tensor:
    """Decodes one image to one channel.

    Args:
        image_bytes: scalar string, an encoded JPEG, PNG, BMP or GIF (its first frame). Alpha is
            dropped; 16-bit samples keep the 8 highest bits that the image uses; the image is turned
            upright as its EXIF data say.

    Returns:
        [height, width, 1] uint8.

    Raises:
        tf.errors.InvalidArgumentError: it is none of these, is damaged, has a side shorter than
            MINIMUM_SIDE or more than MAXIMUM_PIXELS pixels (known before anything is decoded), or
            is a CMYK JPEG that does not say how its inks are stored.
    """
    is_jpeg, is_png = _starts_with(image_bytes, _JPEG), _starts_with(image_bytes, _PNG)
    height, width = tf.case(
        [
            (is_jpeg, lambda: _jpeg_size(image_bytes)),
            (is_png, lambda: _png_size(image_bytes)),
            (_starts_with(image_bytes, _GIF), lambda: _gif_size(image_bytes)),
            (_starts_with(image_bytes, _BMP), lambda: _bmp_size(image_bytes)),
        ],
        default=_unknown_size,
        exclusive=True,
    )
    checks = [
        tf.debugging.assert_greater_equal(
            tf.minimum(height, width), tf.constant(MINIMUM_SIDE, tf.int64), "image too small"
        ),
        tf.debugging.assert_less_equal(
            height * width, tf.constant(MAXIMUM_PIXELS, tf.int64), "image too large"
        ),
    ]
    with tf.control_dependencies([check for check in checks if check is not None]):
        image_bytes = tf.identity(image_bytes)
    return tf.case(
        [
            (
                is_jpeg,
                lambda: _turned(
                    _decode_jpeg(image_bytes), orientation.jpeg_orientation(image_bytes)
                ),
            ),
            (
                is_png,
                lambda: _turned(_decode_png(image_bytes), orientation.png_orientation(image_bytes)),
            ),
        ],
        default=lambda: _luma(
            tf.io.decode_image(image_bytes, channels=0, dtype=tf.uint8, expand_animations=False)
        ),
        exclusive=True,
    )


def standardize(pixels: tf.Tensor, settings: TransformSettings = _DEFAULTS) -> tf.Tensor:
    """Resizes to the model's size, with antialiasing, and spreads the grey levels.

    Args:
        pixels: [height, width, 1] uint8.
        settings: the size, whether the aspect ratio stays, and how the levels are spread; or the
            user's own function that does both.

    Returns:
        [size, size, 1] uint8.

    Raises:
        tf.errors.InvalidArgumentError: the user's own function leaves [0, 1].
    """
    size = settings.size
    if settings.function:
        return _grey_levels(own_function.load(settings.function)(pixels, size), size)
    fitted = _fitted(pixels, size) if settings.resize == "pad" else (size, size)
    resized = tf.image.resize(pixels, fitted, antialias=True)
    spread = _CONTRAST[settings.contrast](
        tf.cast(tf.clip_by_value(tf.round(resized), 0, 255), tf.uint8)
    )
    return _pad(spread, size) if settings.resize == "pad" else spread


# TensorFlow Transform traces it nine times a run: rewriting its source takes as long each time.
@tf.autograph.experimental.do_not_convert
def images_to_png(image_bytes: tf.Tensor, settings: TransformSettings = _DEFAULTS) -> tf.Tensor:
    """Decodes, resizes and stores a batch; an image that cannot be decoded never fails the rest.

    Args:
        image_bytes: [N] string, encoded images.
        settings: see `standardize`.

    Returns:
        [N] string: PNGs of [size, size, 1] uint8, the empty string where the image could not be
        decoded.
    """
    rows = tf.shape(image_bytes, out_type=tf.int64)[0]

    def convert(row: tf.Tensor, encoded: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pixels = standardize(decode_grey(encoded), settings)
        return row, tf.io.encode_png(pixels, compression=_PNG_LEVEL)

    sentinel = tf.data.Dataset.from_tensors((rows, tf.constant("")))
    decoded, pngs = (
        tf.data.Dataset.from_tensor_slices((tf.range(rows), image_bytes))
        .map(convert, num_parallel_calls=_PARALLEL_DECODES)
        .ignore_errors()
        .concatenate(sentinel)
        .batch(rows + 1)
        .get_single_element()
    )
    joined = tf.tensor_scatter_nd_update(tf.fill([rows + 1], ""), decoded[:, tf.newaxis], pngs)
    return joined[:rows]


def png_to_pixels(png: tf.Tensor, size: int) -> tf.Tensor:
    """Reads back one image that `images_to_png` stored.

    Args:
        png: scalar string, not empty.
        size: of the settings that it was stored with.

    Returns:
        [size, size, 1] uint8.
    """
    pixels = tf.io.decode_png(png, channels=1)
    return tf.ensure_shape(pixels, (size, size, 1))


def rescale(pixels: tf.Tensor) -> tf.Tensor:
    """Maps uint8 pixels of any shape to float32 in [0, 1]."""
    return tf.cast(pixels, tf.float32) / 255.0


def model_inputs(pngs: tf.Tensor, size: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Turns what Transform stored into what the model sees.

    Args:
        pngs: [N] string, as `images_to_png` returns them.
        size: of the settings that they were stored with.

    Returns:
        Pixels [N, size, size, 1] float32 in [0, 1], zeros where there is no image, and [N] bool:
        whether there is one.
    """
    valid = tf.not_equal(pngs, "")
    blank = tf.io.encode_png(tf.zeros((size, size, 1), tf.uint8))
    stored = tf.where(valid, pngs, blank)
    pixels = tf.map_fn(lambda png: png_to_pixels(png, size), stored, fn_output_signature=tf.uint8)
    return rescale(tf.reshape(pixels, (-1, size, size, 1))), valid


def _grey_levels(pixels: tf.Tensor, size: int) -> tf.Tensor:
    levels = tf.round(tf.ensure_shape(pixels, (size, size, 1)) * 255.0)
    # What is not a number is in no range.
    is_inside = tf.reduce_all((levels >= 0) & (levels <= 255))
    outside = tf.debugging.Assert(is_inside, ["transform.function made pixels outside [0, 1]"])
    with tf.control_dependencies([] if outside is None else [outside]):
        return tf.cast(levels, tf.uint8)


def _fitted(pixels: tf.Tensor, size: int) -> tf.Tensor:
    """[2] int32, the height and width of which the longer one is the model's."""
    sides = tf.shape(pixels)[:2]
    scaled = tf.cast(tf.round(size * sides / tf.reduce_max(sides)), tf.int32)
    return tf.maximum(scaled, 1)


def _pad(pixels: tf.Tensor, size: int) -> tf.Tensor:
    # Black is what a radiograph shows beside the field that was exposed. Repeated edges would be
    # stripes of tissue, as long as the image is narrow.
    free = size - tf.shape(pixels)[:2]
    padded = tf.image.pad_to_bounding_box(pixels, free[0] // 2, free[1] // 2, size, size)
    return tf.ensure_shape(padded, (size, size, 1))


def _starts_with(image_bytes: tf.Tensor, magic: bytes) -> tf.Tensor:
    # substr fails only on strings shorter than the start: a short file compares unequal.
    return tf.equal(tf.strings.substr(image_bytes, 0, len(magic)), magic)


def _jpeg_size(image_bytes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    shape = tf.io.extract_jpeg_shape(image_bytes, output_type=tf.int32)
    return tf.cast(shape[0], tf.int64), tf.cast(shape[1], tf.int64)


def _png_size(image_bytes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    # PNG specification (W3C, third edition), section 11.2.1: IHDR starts with width and height.
    size = _integers(image_bytes, 16, tf.int32, little_endian=False)
    return size[1], size[0]


def _gif_size(image_bytes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    # GIF89a specification, section 18: the logical screen's width and height.
    size = _integers(image_bytes, 6, tf.uint16, little_endian=True)
    return size[1], size[0]


def _bmp_size(image_bytes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    # BITMAPINFOHEADER: width and height; a negative height means rows from the top.
    size = _integers(image_bytes, 18, tf.int32, little_endian=True)
    return tf.abs(size[1]), size[0]


def _integers(
    image_bytes: tf.Tensor, start: int, dtype: tf.DType, *, little_endian: bool
) -> tf.Tensor:
    field = tf.strings.substr(image_bytes, start, 2 * dtype.size)
    return tf.cast(tf.io.decode_raw(field, dtype, little_endian=little_endian), tf.int64)


def _unknown_size() -> tuple[tf.Tensor, tf.Tensor]:
    refused = tf.debugging.Assert(False, ["neither JPEG, PNG, BMP nor GIF"])
    with tf.control_dependencies([] if refused is None else [refused]):
        return tf.constant(0, tf.int64), tf.constant(0, tf.int64)


def _turned(pixels: tf.Tensor, direction: tf.Tensor) -> tf.Tensor:
    return tf.cond(
        tf.equal(direction, orientation.UPRIGHT),
        lambda: pixels,
        lambda: orientation.upright(pixels, direction),
    )


def _decode_jpeg(image_bytes: tf.Tensor) -> tf.Tensor:
    # libjpeg hands out the luma itself when one channel is requested, except of CMYK images.
    components = tf.io.extract_jpeg_shape(image_bytes)[2]
    return tf.cond(
        tf.equal(components, 4),
        lambda: _luma(tf.io.decode_jpeg(_with_known_inks(image_bytes), channels=3)),
        lambda: tf.io.decode_jpeg(image_bytes, channels=1),
    )


def _with_known_inks(image_bytes: tf.Tensor) -> tf.Tensor:
    # Adobe stores inks inverted, and says by its segment APP14 that it is Adobe. Without it
    # decoders do not agree whether 255 is all ink or none.
    is_known = orientation.has_segment(image_bytes, _APP14, b"Adobe")
    refused = tf.debugging.Assert(is_known, ["CMYK JPEG without an Adobe marker"])
    with tf.control_dependencies([] if refused is None else [refused]):
        return tf.identity(image_bytes)


def _decode_png(image_bytes: tf.Tensor) -> tf.Tensor:
    # PNG specification (W3C, third edition), section 11.2.1: the depth follows the height.
    has_16_bits = tf.equal(tf.strings.substr(image_bytes, 24, 1), b"\x10")
    return tf.cond(
        has_16_bits,
        lambda: _luma(decode_png_of_16_bits(image_bytes)[0]),
        lambda: _luma(tf.io.decode_png(image_bytes, channels=0)),
    )


def _luma(pixels: tf.Tensor) -> tf.Tensor:
    def weigh() -> tf.Tensor:
        red, green, blue = (
            weight * tf.cast(pixels[..., channel], tf.float32)
            for channel, weight in enumerate(_LUMA)
        )
        return tf.cast(tf.round(red + green + blue), tf.uint8)[..., tf.newaxis]

    grey = tf.cond(tf.shape(pixels)[-1] >= 3, weigh, lambda: pixels[..., :1])
    return tf.ensure_shape(grey, (None, None, 1))
