import io
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from serving.images.encoding import isolation
from serving.images.encoding.encoding import Encoded, encoded, images_of, pixels
from tests.conftest import SHARED
from tests.dicom_files import dicom
from tests.images import FORMATS, encode, grey_pixels
from tests.serving.images.encoding.samples import FILES, OF_16_BITS, heic, saved
from transform_module.contract import MAXIMUM_PIXELS

GREY = grey_pixels()
COLOURS = np.stack([GREY, GREY // 2, 255 - GREY], axis=-1)
DEEP = GREY.astype(np.uint16) * 257 & 0xFFF0
FORM = {name: name.split(",")[0] for name in FILES}


def decoded(data):
    found = encoded(data)
    assert isinstance(found, Encoded), found
    return np.asarray(Image.open(io.BytesIO(found.image), formats=("PNG",)))


@pytest.mark.parametrize("name", FORMATS)
def test_what_the_graph_decodes_is_passed_on_as_the_very_same_object(name, monkeypatch):
    monkeypatch.setattr(isolation, "reencoded", None)
    data = encode(GREY, name)
    found = encoded(data)
    assert found.image is data
    assert found.format == name.split("-")[0]
    assert not found.is_reencoded
    assert pixels(data) == 0


@pytest.mark.parametrize("name", FILES)
def test_8_bits_keep_their_levels(name):
    data = FILES[name](GREY)
    found = encoded(data)
    assert (found.format, found.is_reencoded) == (FORM[name], True)
    np.testing.assert_array_equal(decoded(data), GREY)
    assert pixels(data) == GREY.size


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"avif", "dicom"}))
def test_colours_keep_their_levels(name):
    np.testing.assert_array_equal(decoded(FILES[name](COLOURS)), COLOURS)


@pytest.mark.parametrize("name", OF_16_BITS)
def test_16_bits_stay_16(name):
    shown = decoded(FILES[name](DEEP))
    assert shown.dtype == np.uint16
    # HEIC's 12 bits are spread over 16 by libheif, as the highest of them.
    np.testing.assert_array_equal(shown >> 4, DEEP >> 4)


def test_what_a_dicom_file_says_comes_with_its_image():
    facts = encoded(dicom(GREY, PatientID="p7", ViewPosition="PA")).facts
    assert (facts.modality, facts.view, facts.patient_id) == ("DX", "PA", "p7")
    assert encoded(FILES["tiff"](GREY)).facts is None


def test_a_dicom_file_behind_the_head_of_a_tiff_is_dicom():
    data = b"II*\0" + dicom(GREY)[4:]
    assert encoded(data).format == "dicom"


def test_a_dicom_file_that_hides_its_size_counts_as_the_largest():
    data = bytes(128) + b"DICM" + bytes(500)
    assert pixels(data) == pytest.approx(MAXIMUM_PIXELS, rel=1e-3)
    assert pixels(dicom(GREY)) == GREY.size


def test_files_without_an_image_are_left_as_they_are():
    tiff, text, png = FILES["tiff"](GREY), b"text", encode(GREY, "png-grey")
    found = images_of([tiff, text, png, tiff])
    assert found == [encoded(tiff).image, text, png, encoded(tiff).image]
    assert found[2] is png


def test_the_same_file_gives_the_same_bytes():
    data = FILES["tiff"](DEEP)
    assert encoded(data) == encoded(data)


@pytest.mark.parametrize("depth", [8, 12, 16])
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_white_is_zero_is_inverted(depth, compression):
    kind = np.uint8 if depth == 8 else np.uint16
    shown = GREY.astype(kind) << (depth - 8)
    white = 2**depth - 1
    stored = white - shown
    data = saved(stored, "TIFF", compression=compression, tiffinfo={262: 0})
    # Of 8 bits Pillow inverts what it saves, too.
    np.testing.assert_array_equal(decoded(data), stored if depth == 8 else shown)


def white_is_zero(stored):
    """A TIFF whose tag says that white is 0, of pixels as they are stored."""
    data = bytearray(saved(stored, "TIFF"))
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    for at in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, at) == (262,):
            struct.pack_into("<H", data, at + 8, 0)
    return bytes(data)


@pytest.mark.parametrize("depth", [8, 12, 16])
def test_stored_levels_of_which_white_is_zero_are_inverted(depth):
    shown = GREY.astype(np.uint8 if depth == 8 else np.uint16) << (depth - 8)
    stored = (2**depth - 1 - shown).astype(shown.dtype)
    np.testing.assert_array_equal(decoded(white_is_zero(stored)), shown)


@pytest.mark.parametrize("name", ["tiff", "webp", "avif"])
def test_an_image_is_turned_upright(name):
    exif = Image.Exif()
    exif[0x0112] = 6
    form, options = {
        "tiff": ("TIFF", {}),
        "webp": ("WEBP", {"lossless": True}),
        "avif": ("AVIF", {"quality": 100, "subsampling": "4:4:4"}),
    }[name]
    stored = GREY if name == "tiff" else np.stack([GREY] * 3, axis=-1)
    data = saved(stored, form, exif=exif, **options)
    np.testing.assert_array_equal(decoded(data), np.rot90(GREY, 3))


def several(form, **options):
    file = io.BytesIO()
    first, second = Image.fromarray(COLOURS), Image.fromarray(255 - COLOURS)
    first.save(file, form, save_all=True, append_images=[second], **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"II*\0", "damaged TIFF"),
        (b"II*\0" + bytes(99), "damaged TIFF"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "damaged WebP"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "damaged HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "damaged AVIF"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "damaged JPEG 2000"),
        (b"%PDF-1.7", "PDF document: export its image as PNG"),
        (several("TIFF"), "TIFF that is not read: it holds several images: save the one"),
        (several("WEBP", lossless=True), "WebP that is not read: it holds several images"),
        (several("AVIF"), "AVIF that is not read: it holds several images"),
        (saved(GREY.astype(np.int32), "TIFF"), "TIFF that is not read: 32 bits a sample"),
        (saved(GREY.astype(np.float32), "TIFF"), "TIFF that is not read: 32 bits a sample"),
        (bytes(128) + b"DICM" + bytes(500), "DICOM without an image"),
        (dicom(GREY)[:-60], "truncated DICOM"),
        (saved(GREY[:20], "TIFF"), "too small: 200x20 pixels, the least side is 32"),
    ],
)
def test_what_is_not_read_has_a_reason(data, reason):
    assert encoded(data).startswith(reason)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_cut_off_is_damaged(name):
    data = FILES[name](GREY)
    # TIFF has its entries behind its pixels.
    assert encoded(data[: len(data) * 2 // 3]).startswith(("damaged", "truncated"))


def test_a_large_image_is_refused_by_its_header(monkeypatch):
    monkeypatch.setattr(isolation, "reencoded", None)
    data = bytearray(saved(GREY, "JPEG2000", no_jp2=True))
    struct.pack_into(">II", data, 8, 10_000, 5_001)
    reason = "too large: 10000x5001 are 50.0 million pixels, the limit is 50"
    assert encoded(bytes(data)) == reason
    assert pixels(bytes(data)) == 0


MADE = {name: make(GREY) for name, make in FILES.items()} | {"heic, 12 bits": heic(DEEP)}


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(sorted(MADE)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    st.floats(0.1, 1),
    st.booleans(),
)
def test_no_bytes_ever_raise(name, changes, kept, in_header):
    data = bytearray(MADE[name])
    for at, value in changes:
        data[int(at * (min(len(data), 400) if in_header else len(data)))] = value
    found = encoded(bytes(data[: int(len(data) * kept)]))
    assert found if isinstance(found, str) else found.image
    assert pixels(bytes(data)) >= 0


@settings(deadline=None)
@given(st.sampled_from(sorted(MADE)), st.binary(max_size=200))
def test_no_bytes_behind_a_magic_number_ever_raise(name, rest):
    found = encoded(MADE[name][:12] + rest)
    assert found if isinstance(found, str) else found.image


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("found/16_formats/11.webp", "webp"),
        ("found/16_formats/12.tif", "tiff"),
        ("found/16_formats/12b_16bit.tif", "tiff"),
        ("found/09_dicom/no_preamble_implicit.dcm", "dicom"),
        ("found/09_dicom/mono2_rle.dcm", "dicom"),
        ("odd_files/Fake_MONOHR1.dcm", "dicom"),
    ],
)
def test_files_that_were_found_are_read(path, form):
    file = SHARED / path
    if not file.exists():
        pytest.skip(f"no such file on this machine (../shared/{path})")
    found = encoded(file.read_bytes())
    assert (found.format, found.is_reencoded) == (form, True)
