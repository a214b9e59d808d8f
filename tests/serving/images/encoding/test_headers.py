import struct

import numpy as np
import pytest

from serving.images.encoding import formats, headers
from tests.images import grey_pixels
from tests.serving.images.encoding.samples import FILES, saved

GREY = grey_pixels()
COLOURS = np.stack([GREY, GREY // 2, 255 - GREY], axis=-1)


@pytest.mark.parametrize("name", FILES)
def test_the_size_is_read(name):
    assert headers.size(FILES[name](GREY), name.split(",")[0]) == (200, 180)


@pytest.mark.parametrize(
    "options", [{"lossless": False}, {"lossless": True}, {"lossless": True, "exif": b"Exif\0\0"}]
)
def test_all_three_kinds_of_webp_have_a_size(options):
    assert headers.size(saved(COLOURS, "WEBP", **options), formats.WEBP) == (200, 180)


def test_the_codestream_counts_whatever_the_box_says():
    data = bytearray(saved(GREY, "JPEG2000"))
    at = data.index(b"ihdr") + 4
    assert struct.unpack_from(">II", data, at) == (180, 200)
    struct.pack_into(">II", data, at, 32, 32)
    assert headers.size(bytes(data), formats.JPEG_2000) == (200, 180)


@pytest.mark.parametrize("form", [formats.HEIC, formats.AVIF])
def test_the_largest_of_several_items_counts(form):
    sizes = b"".join(b"\0\0\0\x14ispe" + struct.pack(">III", 0, side, 40) for side in (64, 900, 50))
    meta = struct.pack(">I4s", len(sizes) + 8, b"meta") + sizes
    assert headers.size(b"\0\0\0\x08ftyp" + meta, form) == (900, 40)


def test_the_largest_of_a_repeated_tag_counts():
    tags = [(256, 64), (256, 9_000), (257, 40), (257, 30)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    data = struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries
    assert headers.size(data, formats.TIFF) == (9_000, 40)


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"dicom"}))
@pytest.mark.parametrize("length", [0, 4, 12, 20])
def test_a_header_that_is_cut_off_has_no_size(name, length):
    assert headers.size(FILES[name](GREY)[:length], name.split(",")[0]) is None
