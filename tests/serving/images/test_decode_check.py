from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from serving.images import decode_check
from serving.images.decode_check import Decoded, check
from tests.components.convert.damage import png_of_zeros, saved
from tests.conftest import SHARED
from tests.images import FORMATS, encode, grey_pixels, png_of_16_bits
from transform_module.images import image_ops

GOOD = {name: encode(grey_pixels(44, 40), name) for name in FORMATS}


SAMPLES = {
    "jpeg-grey": (8, "grey"),
    "jpeg-rgb": (8, "RGB"),
    "jpeg-cmyk": (8, "CMYK"),
    "jpeg-progressive": (8, "RGB"),
    "png-grey": (8, "grey"),
    "png-16-bit": (16, "grey"),
    "png-rgb": (8, "RGB"),
    "png-rgba": (8, "RGB with alpha"),
    "png-grey-alpha": (8, "grey with alpha"),
    "png-palette": (8, "palette"),
    "bmp-rgb": (8, "RGB"),
    "bmp-grey": (8, "grey"),
    "gif": (8, "palette"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_passes_and_is_reported_by_its_content(name):
    bits, colours = SAMPLES[name]
    form = name.split("-")[0]
    assert check(GOOD[name]) == Decoded(form, 44, 40, bits=bits, colours=colours)


@pytest.mark.parametrize("mode", ["1", "P", "RGB", "RGBA"])
def test_other_depths_and_colours_pass(mode):
    colours = np.random.default_rng(1).integers(0, 256, (40, 44, 4), dtype=np.uint8)
    image = Image.fromarray(colours).convert("RGB").convert(mode)
    samples = {
        "1": (1, "grey"),
        "P": (8, "palette"),
        "RGB": (8, "RGB"),
        "RGBA": (8, "RGB with alpha"),
    }
    bits, colours = samples[mode]
    assert check(saved(image, "PNG")) == Decoded("png", 44, 40, bits=bits, colours=colours)


def test_noise_in_colour_at_full_quality_passes():
    colours = np.random.default_rng(1).integers(0, 256, (90, 90, 3), dtype=np.uint8)
    data = saved(Image.fromarray(colours), "JPEG", quality=100)
    assert check(data) == Decoded("jpeg", 90, 90, colours="RGB")


@pytest.mark.parametrize("name", FORMATS)
def test_every_truncation_is_refused(name):
    data = GOOD[name]
    # A GIF that lacks its last byte holds all its pixels.
    whole = len(data) - (name == "gif")
    reasons = {check(data[:length]) for length in range(0, whole, max(1, whole // 150))}
    reasons |= {check(data[:length]) for length in range(whole - 15, whole)}
    form = name.split("-")[0].upper()
    assert f"truncated {form}" in reasons
    assert reasons <= {
        "empty file",
        "text file",
        "not an image: unknown content",
        f"truncated {form}",
        f"damaged {form}",
    }


@pytest.mark.parametrize("name", FORMATS)
def test_a_truncation_is_called_one_even_at_the_last_bytes(name):
    assert check(GOOD[name][:-2]) == f"truncated {name.split('-')[0].upper()}"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"patient,label\n1,NORMAL\n", "text file"),
        ("Röntgenbild ".encode() * 200, "text file"),
        (b"\xef\xbb\xbf<html>", "text file"),
        (b"%PDF-1.7\n\0", "PDF document: export its image as PNG"),
        (b"PK\x03\x04\0\0", "ZIP archive: give it by itself as the images, or unpack it"),
        (b"\x1f\x8b\x08\0", "gzip archive: unpack it, and give the folder that it holds"),
        (bytes(5000), "not an image: unknown content"),
        (b"\xff\xfe\xfd" * 20, "not an image: unknown content"),
        (GOOD["jpeg-grey"][1:], "not an image: unknown content"),
        (b"\xff\xd8\xff\xd9", "damaged JPEG"),
        (
            encode(grey_pixels(31, 100), "png-grey"),
            "too small: 31x100 pixels, the least side is 32",
        ),
        (encode(grey_pixels(1, 1), "bmp-grey"), "too small: 1x1 pixels, the least side is 32"),
        (
            png_of_zeros(20_000, 20_000),
            "too large: 20000x20000 are 400.0 million pixels, the limit is 50",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_an_image_is_refused_in_words(data, reason):
    assert check(data) == reason


def test_the_smallest_image_passes():
    assert check(encode(grey_pixels(32, 32), "png-grey")) == Decoded("png", 32, 32)


def test_every_frame_of_an_animation_counts_against_the_limit():
    frames = [Image.new("L", (800, 900), shade) for shade in range(80)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert check(data) == (
        "too large: 800x900 in 80 frames are 57.6 million pixels, the limit is 50"
    )


def test_a_broken_byte_in_the_pixels_of_a_png_is_damage():
    data = bytearray(GOOD["png-grey"])
    data[len(data) // 2] ^= 0xFF
    assert check(bytes(data)) == "damaged PNG"


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (None, "PNG that TensorFlow cannot decode: save it anew, as PNG"),
        (grey_pixels(40, 44), "PNG read in two ways: TensorFlow and Pillow differ in its size"),
        (255 - grey_pixels(44, 40), "PNG read in two ways: TensorFlow and Pillow see different"),
    ],
)
def test_both_decoders_must_agree(monkeypatch, seen, reason):
    monkeypatch.setattr(decode_check, "_decode_as_the_model", lambda data: seen)
    assert str(check(GOOD["png-grey"])).startswith(reason)


@pytest.mark.parametrize("value", range(1, 9))
def test_an_image_is_described_as_it_is_seen_upright(value):
    exif = Image.Exif()
    exif[0x0112] = value
    for form in ("JPEG", "PNG"):
        data = saved(Image.fromarray(grey_pixels(44, 40)), form, exif=exif)
        size = (44, 40) if value < 5 else (40, 44)
        assert check(data) == Decoded(form.lower(), *size, orientation=value)


@pytest.mark.parametrize("channels", [None, 2, 3, 4])
def test_unused_high_bits_are_noted(channels):
    samples = grey_pixels(44, 40).astype(np.uint16) << 4
    if channels:
        samples = np.repeat(samples[..., np.newaxis], channels, axis=2)
        if channels in (2, 4):
            samples[..., -1] = 65535
    colours = {None: "grey", 2: "grey with alpha", 3: "RGB", 4: "RGB with alpha"}[channels]
    expected = Decoded("png", 44, 40, unused_bits=4, bits=16, colours=colours)
    assert check(png_of_16_bits(samples)) == expected


@pytest.mark.parametrize("side", [40, 1100])
def test_letters_at_full_scale_do_not_refuse_an_image(side):
    samples = grey_pixels(side, side).astype(np.uint16) << 4
    samples[2 : 2 + side // 16, 2 : 2 + side // 16] = 65535
    assert check(png_of_16_bits(samples)) == Decoded("png", side, side, unused_bits=4, bits=16)


def test_colours_of_16_bits_that_are_seen_otherwise_are_refused(monkeypatch):
    samples = np.repeat(grey_pixels(44, 40).astype(np.uint16)[..., np.newaxis] << 4, 3, axis=2)
    data = png_of_16_bits(samples)
    monkeypatch.setattr(
        decode_check, "_decode_as_the_model", lambda data: 255 - grey_pixels(44, 40)
    )
    assert str(check(data)).startswith("PNG read in two ways")


def test_exif_data_that_cannot_be_read_leave_an_image_good():
    exif = b"Exif\0\0" + bytes(60)
    data = saved(Image.fromarray(grey_pixels(44, 40)), "JPEG", exif=exif)
    assert check(data) == Decoded("jpeg", 44, 40)


def test_inks_that_are_stored_in_an_unknown_way_are_refused_as_serving_does():
    data = GOOD["jpeg-cmyk"]
    start = data.index(b"\xff\xee")
    nameless = data[:start] + data[start + 16 :]
    assert check(nameless) == "CMYK JPEG without an Adobe marker: save it anew, as grey PNG"
    assert image_ops.images_to_png(tf.constant([nameless, data])).numpy()[0] == b""


@pytest.mark.parametrize("name", ["03_arithmetic.jpg", "05b_cmyk_noadobe_marker.jpg"])
def test_conversion_and_serving_agree_on_rare_jpegs(name):
    path = SHARED / "found/16_formats" / name
    if not path.is_file():
        pytest.skip(f"no such JPEG on this machine (../shared/found/16_formats/{name})")
    data = path.read_bytes()
    (served,) = image_ops.images_to_png(tf.constant([data])).numpy()
    assert isinstance(check(data), Decoded) == (served != b"") == (name == "03_arithmetic.jpg")
    assert isinstance(check(data[: len(data) // 2]), str)


@pytest.mark.parametrize("folder", ["originals", "chest_xray"])
def test_real_chest_x_rays_pass(folder):
    paths = sorted((SHARED / folder).rglob("*.jpeg"))[::47]
    if not paths:
        pytest.skip(f"the real chest X-rays are not on this machine (../shared/{folder})")
    assert {type(check(path.read_bytes())) for path in paths} == {Decoded}


places = st.one_of(st.integers(0, 80), st.integers(0, 6000))
changes = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), places, st.integers(1, 255)),
        st.tuples(st.just("insert"), places, st.binary(min_size=1, max_size=20)),
        st.tuples(st.just("cut"), places, st.integers(1, 200)),
        st.tuples(st.just("end"), places, st.none()),
        st.tuples(st.just("append"), st.just(0), st.binary(min_size=1, max_size=50)),
        st.tuples(st.just("repeat"), places, st.integers(1, 200)),
        st.tuples(st.just("graft"), places, st.sampled_from(sorted(FORMATS))),
    ),
    min_size=1,
    max_size=3,
)


def mutate(data: bytes, change: str, place: int, how) -> bytes:
    place %= max(1, len(data))
    match change:
        case "flip":
            return (
                data[:place]
                + bytes(byte ^ how for byte in data[place : place + 1])
                + data[place + 1 :]
            )
        case "insert":
            return data[:place] + how + data[place:]
        case "cut":
            return data[:place] + data[place + how :]
        case "end":
            return data[:place]
        case "append":
            return data + how
        case "repeat":
            return data[: place + how] + data[place:]
        case _:
            return data[:place] + GOOD[how][place:]


def test_a_thousand_mutations_never_raise_and_what_passes_reaches_the_model():
    convert = tf.function(
        image_ops.images_to_png, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    seen: Counter[bool] = Counter()

    @settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
    @given(name=st.sampled_from(sorted(FORMATS)), changes=changes)
    def decide(name, changes):
        data = GOOD[name]
        for change in changes:
            data = mutate(data, *change)
        checked = check(data)
        passed = isinstance(checked, Decoded)
        seen[passed] += 1
        assert checked
        if passed:
            assert convert(tf.constant([data])).numpy()[0] != b""

    decide()
    assert min(seen[True], seen[False]) > 100
