import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from serving.images.decode_check import Decoded, check
from tests.conftest import SHARED
from tests.images import grey_pixels
from transform_module.images import image_ops, orientation

PIXELS = grey_pixels(96, 64)
TOP_LEFT_BRIGHT = np.where(np.add.outer(range(64), range(96)) < 30, 255, PIXELS // 4).astype("u1")
in_graph = tf.function(image_ops.decode_grey, input_signature=[tf.TensorSpec((), tf.string)])
read_jpeg, read_png = (
    tf.function(read, input_signature=[tf.TensorSpec((), tf.string)])
    for read in (orientation.jpeg_orientation, orientation.png_orientation)
)


def entry(order: str, tag: int, kind: int, count: int, value: bytes) -> bytes:
    return struct.pack(f"{order}HHI", tag, kind, count) + value.ljust(4, b"\0")


def exif(value: int, order: str = "<", before: int = 0, tag: int = 0x0112) -> bytes:
    """EXIF data with as many other entries before the orientation."""
    start = b"II*\0" if order == "<" else b"MM\0*"
    others = [entry(order, 0x0100 + index, 3, 1, b"\0\0") for index in range(before)]
    entries = [*others, entry(order, tag, 3, 1, struct.pack(f"{order}H", value))]
    header = start + struct.pack(f"{order}I", 8) + struct.pack(f"{order}H", len(entries))
    return b"Exif\0\0" + header + b"".join(entries) + bytes(4)


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def encoded(name: str, pixels: np.ndarray = TOP_LEFT_BRIGHT) -> bytes:
    file = io.BytesIO()
    options = {"quality": 95} if name == "JPEG" else {}
    Image.fromarray(pixels).save(file, name, **options)
    return file.getvalue()


def jpeg(data: bytes, *others: bytes, jfif: bool = True) -> bytes:
    """A JPEG with EXIF data after other segments."""
    plain = encoded("JPEG")
    start = 20 if jfif else 2
    return plain[:2] + plain[2:start] + b"".join(others) + segment(0xE1, data) + plain[20:]


def chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def png(data: bytes, *, last: bool = False) -> bytes:
    plain = encoded("PNG")
    place = len(plain) - 12 if last else 33
    return plain[:place] + chunk(b"eXIf", data.removeprefix(b"Exif\0\0")) + plain[place:]


def by_pillow(data: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(data))
    if image.format == "JPEG":
        image.draft("L", image.size)
    return np.asarray(ImageOps.exif_transpose(image))


def assert_as_pillow(data: bytes) -> None:
    wanted, found = by_pillow(data), in_graph(data).numpy()[..., 0]
    assert found.shape == wanted.shape
    # Two builds of libjpeg round differently.
    assert np.abs(found.astype(int) - wanted).mean() < 1


OTHERS = {
    "nothing": (),
    "Photoshop's": (segment(0xED, b"Photoshop 3.0\0" + bytes(3000)),),
    "a profile": tuple(segment(0xE2, b"ICC_PROFILE\0" + bytes(60_000)) for _ in range(3)),
    "a comment": (segment(0xFE, b"Exif\0\0II*\0 is no EXIF here"),),
    "filling": (b"\xff\xff\xff",),
    "other APP1": (segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"),),
}


@pytest.mark.slow
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("value", range(1, 9))
def test_every_orientation_is_applied_as_pillow_applies_it(value, order):
    for before in (0, 5):
        assert_as_pillow(jpeg(exif(value, order, before)))
    assert_as_pillow(png(exif(value, order)))
    assert_as_pillow(png(exif(value, order), last=True))


@pytest.mark.parametrize("others", OTHERS)
@pytest.mark.parametrize("jfif", [True, False])
def test_other_segments_may_come_before(others, jfif):
    data = jpeg(exif(6), *OTHERS[others], jfif=jfif)
    assert read_jpeg(data) == 6
    assert_as_pillow(data)


def test_the_mark_lands_where_it_is_seen():
    turned = in_graph(jpeg(exif(6))).numpy()[..., 0]
    assert turned.shape == (96, 64)
    assert turned[:10, -10:].mean() > 200
    assert turned[:10, :10].mean() < 100


@pytest.mark.parametrize("form", ['tiff:Orientation="8"', "<tiff:Orientation>8</tiff:Orientation>"])
def test_xmp_counts_where_there_is_no_exif(form):
    xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x " + form.encode() + b" \xff/>")
    assert_as_pillow(jpeg(exif(1, tag=0x0100), xmp))
    assert read_jpeg(jpeg(exif(1, tag=0x0100), xmp)) == 8
    assert read_jpeg(jpeg(exif(3), xmp)) == 3


def png_with_text(keyword, text, *, compressed=False):
    plain = encoded("PNG")
    if compressed:
        return plain[:33] + chunk(b"zTXt", keyword + b"\0\0" + zlib.compress(text)) + plain[33:]
    return plain[:33] + chunk(b"iTXt", keyword + b"\0\0\0\0\0" + text) + plain[33:]


def test_an_orientation_in_a_text_of_a_png_is_refused_by_conversion_and_serving():
    profile = b"\nexif\n      " + str(len(exif(6))).encode() + b"\n" + exif(6).hex().encode()
    magick = png_with_text(b"Raw profile type exif", profile, compressed=True)
    xmp = png_with_text(b"XML:com.adobe.xmp", b'<x tiff:Orientation="6"/>')
    for data in (magick, xmp):
        assert by_pillow(data).shape == (96, 64)
        assert isinstance(check(data), str)
        with pytest.raises(tf.errors.InvalidArgumentError, match="orientation in a text"):
            read_png(data)
    upright = png_with_text(b"XML:com.adobe.xmp", b'<x tiff:Orientation="1"/>')
    assert read_png(upright) == 1
    assert isinstance(check(upright), Decoded)


HOSTILE = {
    "empty": b"",
    "only the name": b"Exif\0\0",
    "no TIFF": b"Exif\0\0" + bytes(60),
    "cut header": exif(6)[:12],
    "cut count": exif(6)[:15],
    "cut entry": exif(6)[:25],
    "offset beyond": b"Exif\0\0II*\0" + struct.pack("<I", 5000) + bytes(60),
    "offset of 4 GiB": b"Exif\0\0II*\0" + b"\xff" * 4 + bytes(60),
    "offset into itself": b"Exif\0\0II*\0" + bytes(60),
    "65535 entries": b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(40),
    "BigTIFF": b"Exif\0\0II+\0\x08\0\0\0\x08\0\0\0" + bytes(60),
    "nine": exif(9),
    "zero": exif(0),
    "two values": exif(6).replace(b"\x03\0\x01\0\0\0", b"\x03\0\x02\0\0\0"),
    "bytes": exif(6).replace(b"\x03\0\x01\0\0\0", b"\x01\0\x01\0\0\0"),
    "no such type": exif(6).replace(b"\x03\0\x01\0\0\0", b"\x63\0\x01\0\0\0"),
    "twice": exif(6)[:14] + b"\x02\0" + exif(6)[16:28] + exif(3)[16:],
    "named twice": b"Exif\0\0" + exif(6),
    "swapped header": exif(6).replace(b"II*\0", b"II\0*"),
    "long": exif(6).replace(b"\x03\0\x01\0\0\0", b"\x04\0\x01\0\0\0"),
}


def pillows_word(data: bytes) -> int:
    try:
        found = Image.open(io.BytesIO(data)).getexif().get(0x0112, 1)
    except Exception:  # noqa: BLE001 - Pillow raises many kinds
        return 1
    return found if found in range(2, 9) else 1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_data_are_read_as_pillow_reads_them(case):
    data = jpeg(HOSTILE[case])
    assert read_jpeg(data) == pillows_word(data)
    assert in_graph(data).shape[-1] == 1


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=300)
@given(
    value=st.integers(0, 10),
    order=st.sampled_from("<>"),
    before=st.integers(0, 3),
    changes=st.lists(st.tuples(st.integers(0, 75), st.binary(min_size=1, max_size=3)), max_size=3),
)
@example(6, "<", 0, [])
def test_mutated_data_never_raise_and_conversion_learns_nothing_turned(
    value, order, before, changes
):
    data = bytearray(exif(value, order, before))
    for place, new in changes:
        data[place : place + len(new)] = new
    image = jpeg(bytes(data))
    found = int(read_jpeg(image))
    assert 1 <= found <= 8
    if found != pillows_word(image):
        # What is read in two ways is kept out.
        assert not isinstance(check(image), Decoded)


@pytest.mark.parametrize(
    "parts",
    {
        "junk": b"\x00" * 4_001 + segment(0xE1, exif(6)),
        "standalone markers": b"\xff\x01" * 4_001 + segment(0xE1, exif(6)),
        "empty segments": segment(0xFE, b"") * 4_001 + segment(0xE1, exif(6)),
    }.items(),
    ids=lambda item: item[0],
)
def test_an_orientation_behind_more_parts_than_are_read_is_refused(parts):
    plain = encoded("JPEG")
    hostile = plain[:2] + parts[1] + plain[2:]
    with pytest.raises(tf.errors.InvalidArgumentError):
        read_jpeg(hostile)
    assert image_ops.images_to_png(tf.constant([hostile])).numpy().tolist() == [b""]


def test_a_png_of_many_chunks_is_refused_only_where_it_mentions_exif():
    plain = encoded("PNG")
    many = chunk(b"tEXt", b"a\0b") * 4_001
    assert read_png(plain[:33] + many + plain[33:]) == 1
    with pytest.raises(tf.errors.InvalidArgumentError):
        read_png(plain[:33] + many + chunk(b"eXIf", exif(6)[6:]) + plain[33:])


@pytest.mark.parametrize("size", [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0"])
def test_a_chunk_that_lies_about_its_length_ends_the_search(size):
    plain = encoded("PNG")
    lying = plain[:33] + size + b"eXIf" + b"II*\0"
    assert read_png(lying) == 1
    assert read_png(plain[:33] + size + b"tEXt" + b"eXIf") == 1


def test_real_images_have_the_same_pixels_as_without_exif():
    folder = SHARED / "found/14_exif"
    if not folder.is_dir():
        pytest.skip("the rotated X-rays are not on this machine (../shared/found/14_exif)")
    wanted = in_graph((folder / "00_reference.png").read_bytes()).numpy().astype(int)
    for path in folder.glob("04*"):
        found = in_graph(path.read_bytes()).numpy()
        # The mirrored file holds mirrored pixels: all are the reference, upright.
        assert np.abs(found - wanted).mean() < 2, path.name
