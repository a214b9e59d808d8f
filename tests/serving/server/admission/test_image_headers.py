import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from serving.server.admission.image_headers import FEW_PIXELS, pixels
from tests.images import encode, grey_pixels
from tests.serving.images.encoding.samples import FILES
from transform_module.contract import MAXIMUM_PIXELS

FORMATS = ("png-grey", "jpeg-grey", "bmp", "gif")


def saved(form, size=(61, 47), **options):
    import io

    file = io.BytesIO()
    Image.new("L", size, 7).save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP"])
def test_width_and_height_are_read(form):
    assert pixels(saved(form)) == 61 * 47


def test_a_color_jpeg_with_segments_before_the_frame():
    content = saved("JPEG", exif=b"Exif\0\0" + b"\xff\xc0\0\x11\x08\xff\xff\xff\xff" * 40)
    assert pixels(content) == 61 * 47


def test_a_bitmap_from_the_top_has_its_height():
    assert pixels(b"BM" + bytes(16) + struct.pack("<ii", 100, -50)) == 5000


def test_all_frames_of_a_gif_count():
    import io

    file = io.BytesIO()
    frames = [Image.fromarray(np.full((40, 50), value, np.uint8)) for value in (0, 90, 200)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert pixels(file.getvalue()) == 3 * 50 * 40
    whole = saved("GIF", (10, 10))
    start = whole.index(b",")
    bomb = whole[:start] + b"," + struct.pack("<HHHH", 0, 0, 6000, 6000) + whole[start + 9 :]
    assert pixels(bomb) >= 6000 * 6000 - 100


def test_many_scans_count_as_many_images():
    progressive = saved("JPEG", progressive=True)
    assert pixels(progressive) == 61 * 47
    scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    assert pixels(progressive[:-2] + scan * 320 + b"\xff\xd9") >= 20 * 61 * 47


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8" + 2_000_000 * b"\xff\xe0\0\2",
        b"GIF89a" + struct.pack("<HH", 32, 32) + b"\0\0\0\x21\xfe" + 4_000_000 * b"\1a",
        b"GIF89a" + struct.pack("<HH", 32, 32) + b"\0\0\0" + 2_000_000 * b"\x21\xfe\0",
    ],
    ids=["segments", "sub-blocks", "extensions"],
)
def test_a_header_of_millions_of_parts_is_not_walked_through(content):
    assert pixels(content) == MAXIMUM_PIXELS


def test_a_gif_of_whole_blocks_counts_as_it_is():
    blocks = b"," + struct.pack("<HHHH", 0, 0, 40, 50) + b"\0\x08" + 50_000 * (b"\xff" + bytes(255))
    content = b"GIF89a" + struct.pack("<HH", 40, 50) + bytes(3) + blocks + b"\0;"
    assert pixels(content) == 40 * 50


@pytest.mark.parametrize("between", [bytes(100_000), b"\xff" * 100_000])
def test_bytes_between_segments_are_passed_over(between):
    whole = saved("JPEG")
    assert pixels(whole[:2] + b"\xff\xe0\0\2" + between + whole[2:]) == 61 * 47


@pytest.mark.parametrize("size", [(7072, 7072), (2**31 - 1, 2**31 - 1)])
def test_what_the_graph_does_not_decode_costs_nothing(size):
    content = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", *size)
    assert size[0] * size[1] > MAXIMUM_PIXELS
    assert pixels(content) == 0


@given(st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM"]), st.binary())
def test_any_bytes_have_a_count(magic, content):
    assert pixels(magic + content) >= 0


@given(st.data())
def test_what_is_cut_off_has_a_count(data):
    content = data.draw(st.sampled_from([saved(form) for form in ("PNG", "JPEG", "GIF", "BMP")]))
    assert pixels(content[: data.draw(st.integers(0, len(content)))]) in (0, 61 * 47)


@pytest.mark.parametrize("form", ["png-grey"])
def test_it_agrees_with_the_decoder(form):
    import tensorflow as tf

    from transform_module.images.image_ops import decode_grey

    content = encode(np.zeros((45, 67), np.uint8), form)
    assert pixels(content) == tf.size(decode_grey(tf.constant(content))).numpy()


@pytest.mark.parametrize("name", FILES)
def test_what_is_encoded_anew_is_never_few_pixels(name):
    assert pixels(FILES[name](grey_pixels(61, 47))) == FEW_PIXELS + 1


def test_what_is_encoded_anew_counts_three_times():
    assert pixels(FILES["tiff"](np.zeros((3000, 2000), np.uint8))) == 3 * 3000 * 2000
