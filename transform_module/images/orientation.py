"""Orientation of an encoded image by its EXIF data, and its pixels turned accordingly.

TensorFlow's decoders ignore the orientation that cameras and exporting programs record, so it is
read here from the bytes, by operations that a serving graph can run. The rules are those of
Pillow's `ImageOps.exif_transpose`: what is malformed counts as upright.
"""

import functools
from typing import Final

import tensorflow as tf

UPRIGHT: Final = 1
"""The orientation of an image that is stored as it is seen (EXIF 2.32, section 4.6.4)."""

# The marker and the prefixes of a JPEG's segments, and the tag of the orientation: EXIF 2.32,
# sections 4.5.4 and 4.6.4; XMP specification part 3, section 1.1.3.
_APP1 = 0xE1
_EXIF = b"Exif\0\0"
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_ORIENTATION = 0x0112
_ENTRY_BYTES = 12
_SHORT = (3, 8)
_LONG = (4, 9)

# Most files have fewer than 20 segments, and 4,000 chunks of 8 KiB, as many programs write, are
# 31 MiB. An image that mentions an orientation beyond is refused: it may be anything. As many
# steps take 0.1 and 0.4 s, less than decoding the largest image.
_MOST_SEGMENTS = 1_000
_MOST_CHUNKS = 4_000

# `\C` is any byte; `.` would be a character of UTF-8. Few images hold one of these, and the others
# are not walked through.
_JPEG_MENTIONS = r"\C*(?:Exif\x00\x00|tiff:Orientation)\C*"
_PNG_MENTIONS = r"\C*eXIf\C*"
# Texts of PNGs that other decoders read an orientation from: ImageMagick's, which are compressed,
# and XMP that is not upright.
_PNG_REFUSED = r"\C*(?:Raw profile type (?:exif|APP1)|tiff:Orientation(?:=\"|>)[02-9])\C*"
_XMP_VALUE = r"\C*?tiff:Orientation(?:=\"|>)([0-9])\C*"


# Otherwise the operations of every branch would be in the graph of every image, and decoding a
# small JPEG would take twice as long.
rarely = functools.partial(
    tf.function, autograph=False, experimental_attributes={"_noinline": True}
)
"""Makes a part of a graph that few images need a function of its own."""


def jpeg_orientation(image_bytes: tf.Tensor) -> tf.Tensor:
    """Reads the orientation of a JPEG from its EXIF segment or, without one there, from its XMP.

    Args:
        image_bytes: scalar string.

    Returns:
        Scalar int32, 1 to 8.

    Raises:
        tf.errors.InvalidArgumentError: an orientation is mentioned, and not found among the first
            1,000 segments.
    """
    mentioned = tf.strings.regex_full_match(image_bytes, _JPEG_MENTIONS)
    return tf.cond(mentioned, lambda: _read_jpeg(image_bytes), lambda: tf.constant(UPRIGHT))


def png_orientation(image_bytes: tf.Tensor) -> tf.Tensor:
    """Reads the orientation of a PNG from its chunk eXIf.

    Args:
        image_bytes: scalar string.

    Returns:
        Scalar int32, 1 to 8.

    Raises:
        tf.errors.InvalidArgumentError: an orientation is mentioned, and not found among the first
            4,000 chunks; or it may be in a text of the PNG, where it is not read.
    """
    is_refused = tf.strings.regex_full_match(image_bytes, _PNG_REFUSED)
    checks = [tf.debugging.Assert(~is_refused, ["PNG with its orientation in a text"])]
    with tf.control_dependencies([check for check in checks if check is not None]):
        image_bytes = tf.identity(image_bytes)
    mentioned = tf.strings.regex_full_match(image_bytes, _PNG_MENTIONS)
    return tf.cond(mentioned, lambda: _read_png(image_bytes), lambda: tf.constant(UPRIGHT))


@rarely
def has_segment(image_bytes: tf.Tensor, marker: int, prefix: bytes) -> tf.Tensor:
    """Returns whether a JPEG has a segment of a kind before its pixels.

    Args:
        image_bytes: scalar string.
        marker: the second byte of the segment's marker.
        prefix: the first bytes of its content.

    Returns:
        Scalar bool.
    """
    return _segment(image_bytes, marker, prefix)[0]


@rarely
def upright(pixels: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Turns and mirrors an image as its orientation says.

    Args:
        pixels: [height, width, 1], as they are stored.
        orientation: scalar int32, 1 to 8.

    Returns:
        [height, width, 1], or [width, height, 1] for the orientations 5 to 8.
    """
    turned = tf.switch_case(
        orientation - UPRIGHT,
        [
            lambda: pixels,
            lambda: pixels[:, ::-1],
            lambda: pixels[::-1, ::-1],
            lambda: pixels[::-1],
            lambda: _transposed(pixels),
            lambda: _transposed(pixels)[:, ::-1],
            lambda: _transposed(pixels)[::-1, ::-1],
            lambda: _transposed(pixels)[::-1],
        ],
    )
    return tf.ensure_shape(turned, (None, None, 1))


@rarely
def _read_jpeg(image_bytes: tf.Tensor) -> tf.Tensor:
    by_exif = _tiff_orientation(_segment(image_bytes, _APP1, _EXIF)[1])
    found = tf.cond(
        by_exif > 0,
        lambda: by_exif,
        lambda: _xmp_orientation(_segment(image_bytes, _APP1, _XMP)[1]),
    )
    return _known(found)


@rarely
def _read_png(image_bytes: tf.Tensor) -> tf.Tensor:
    return _known(_tiff_orientation(_exif_chunk(image_bytes)))


def _transposed(pixels: tf.Tensor) -> tf.Tensor:
    return tf.transpose(pixels, (1, 0, 2))


def _known(orientation: tf.Tensor) -> tf.Tensor:
    return tf.where((orientation > UPRIGHT) & (orientation <= 8), orientation, UPRIGHT)


def _segment(image_bytes: tf.Tensor, marker: int, prefix: bytes) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the first segment with a marker and a prefix before the pixels of a JPEG.

    Returns:
        Whether there is one, and what follows its prefix, the empty string without one.
    """
    length = tf.strings.length(image_bytes)

    def walking(position: tf.Tensor, step: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
        return (step > 0) & (position + 4 <= length)

    def walk(
        position: tf.Tensor, _step: tf.Tensor, _start: tf.Tensor, _size: tf.Tensor, left: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        first, code, high, low = tf.unstack(_bytes(image_bytes, position, 4), num=4)
        size = 256 * high + low
        start = position + 4 + len(prefix)
        is_marker = (first == 0xFF) & (code != 0xFF)
        # Without a length: TEM, RST0 to RST7, SOI and EOI, and the zero after a byte 0xFF.
        alone = (code <= 0x01) | ((code >= 0xD0) & (code <= 0xD9))
        beginning = tf.strings.substr(image_bytes, position + 4, len(prefix))
        fits = is_marker & (code == marker) & tf.equal(beginning, prefix)
        # The start of the scan, after which there are only pixels.
        ends = fits | (is_marker & (code == 0xDA))
        # Bytes that belong to no segment are skipped, as every decoder does.
        step = tf.where(is_marker, tf.where(alone, 2, 2 + tf.maximum(size, 2)), 1)
        step = tf.where(ends, 0, step)
        return (
            position + step,
            step,
            tf.where(fits, start, 0),
            tf.where(fits, tf.maximum(size - 2 - len(prefix), 0), 0),
            _counted(left),
        )

    first_step = (tf.constant(2), tf.constant(1), tf.constant(0), tf.constant(0))
    _, _, start, size, _ = tf.while_loop(walking, walk, (*first_step, tf.constant(_MOST_SEGMENTS)))
    return start > 0, tf.strings.substr(image_bytes, start, size)


def _exif_chunk(image_bytes: tf.Tensor) -> tf.Tensor:
    """Returns the content of a PNG's chunk eXIf, the empty string without one."""
    length = tf.strings.length(image_bytes)

    def walking(position: tf.Tensor, step: tf.Tensor, *_: tf.Tensor) -> tf.Tensor:
        return (step > 0) & (position + 8 <= length)

    def walk(
        position: tf.Tensor, _step: tf.Tensor, _start: tf.Tensor, _size: tf.Tensor, left: tf.Tensor
    ) -> tuple[tf.Tensor, ...]:
        size = _number(_bytes(image_bytes, position, 4), 4, tf.constant(False))
        # No chunk is longer than its file; the sum cannot overflow then.
        size = tf.where((size >= 0) & (size < length), size, length)
        name = tf.strings.substr(image_bytes, position + 4, 4)
        fits = tf.equal(name, b"eXIf")
        step = tf.where(fits | tf.equal(name, b"IEND"), 0, 12 + size)
        return (
            position + step,
            step,
            tf.where(fits, position + 8, 0),
            tf.where(fits, size, 0),
            _counted(left),
        )

    first_step = (tf.constant(8), tf.constant(1), tf.constant(0), tf.constant(0))
    _, _, start, size, _ = tf.while_loop(walking, walk, (*first_step, tf.constant(_MOST_CHUNKS)))
    return tf.strings.substr(image_bytes, start, size)


def _counted(left: tf.Tensor) -> tf.Tensor:
    checks = [tf.debugging.assert_positive(left, "image of too many parts")]
    with tf.control_dependencies([check for check in checks if check is not None]):
        return left - 1


def _tiff_orientation(exif: tf.Tensor) -> tf.Tensor:
    """Reads the orientation from EXIF data (TIFF 6.0, section 2: header, directory, entries).

    Args:
        exif: scalar string; anything.

    Returns:
        Scalar int32: as it is written, 0 where there is none, or where the data are malformed.
    """
    exif = tf.strings.regex_replace(exif, r"^(?:Exif\x00\x00)+", "", replace_global=False)
    length = tf.strings.length(exif)
    exif = tf.strings.join([exif, b"\0" * 8])
    # The two with their bytes swapped are written by some cameras.
    headers = [b"II*\0", b"MM\0*", b"II\0*", b"MM*\0"]
    is_known = tf.reduce_any(tf.equal(tf.strings.substr(exif, 0, 4), headers))
    little = tf.equal(tf.strings.substr(exif, 0, 2), b"II")
    offset = _number(_bytes(exif, 4, 4), 4, little)
    is_known &= (length >= 8) & (offset >= 0) & (offset <= length - 2)
    offset = tf.where(is_known, offset, 0)
    written = _number(_bytes(exif, offset, 2), 2, little)
    whole = tf.where(is_known, tf.minimum(written, (length - offset - 2) // _ENTRY_BYTES), 0)
    content = _bytes(exif, offset + 2, _ENTRY_BYTES * whole)
    entries = tf.reshape(content, (-1, _ENTRY_BYTES))
    kind = _number(entries[:, 2:4], 2, little)
    is_short, is_long = (_one_of(kind, kinds) for kinds in (_SHORT, _LONG))
    fits = (_number(entries[:, :2], 2, little) == _ORIENTATION) & (is_short | is_long)
    # Two short values fit into an entry as well, of which the first one counts.
    count = _number(entries[:, 4:8], 4, little)
    fits &= (count == 1) | (is_short & (count == 2))
    short, long = _number(entries[:, 8:10], 2, little), _number(entries[:, 8:], 4, little)
    values = tf.where(is_short, short, long)
    # Of several the last one counts; the first of all is there so that there is one.
    fits, values = tf.concat([[True], fits], 0), tf.concat([[0], values], 0)
    return values[tf.reduce_max(tf.where(fits, tf.range(tf.size(values)), 0))]


def _xmp_orientation(xmp: tf.Tensor) -> tf.Tensor:
    """Reads the orientation from XMP, which is XML: scalar int32, 0 where there is none."""
    value = tf.strings.regex_replace(xmp, _XMP_VALUE, r"\1", replace_global=False)
    digits = [str(digit) for digit in range(10)]
    return tf.reduce_sum(tf.where(tf.equal(value, digits), tf.range(10), 0))


def _one_of(values: tf.Tensor, wanted: tuple[int, ...]) -> tf.Tensor:
    return tf.reduce_any(tf.equal(values[:, tf.newaxis], wanted), axis=1)


def _bytes(data: tf.Tensor, start: tf.Tensor | int, length: tf.Tensor | int) -> tf.Tensor:
    return tf.cast(tf.io.decode_raw(tf.strings.substr(data, start, length), tf.uint8), tf.int32)


def _number(digits: tf.Tensor, size: int, little: tf.Tensor) -> tf.Tensor:
    """Joins the bytes in the last axis to int32; 4 bytes from 2^31 on become negative."""
    weights = tf.constant([1 << 8 * index for index in range(size)], tf.int64)
    weights = tf.where(little, weights, weights[::-1])
    return tf.cast(tf.reduce_sum(tf.cast(digits, tf.int64) * weights, axis=-1), tf.int32)
