import io

import numpy as np
import pytest
from PIL import Image

from components.convert.screening.appearance import perceptual_hash, shows_nothing, thumbnail
from serving.images import decode_check
from tests.conftest import SHARED
from tests.images import grey_pixels

X_RAY = grey_pixels(300, 200, seed=3)


def bits(one, other):
    first, second = (np.frombuffer(each, np.uint8) for each in (one, other))
    return int(np.bitwise_count(first ^ second).sum())


def resized(width, height):
    image = Image.fromarray(X_RAY).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(image)


def encoded(quality):
    file = io.BytesIO()
    Image.fromarray(X_RAY).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize(
    "copy", [resized(150, 100), resized(600, 400), resized(224, 224), encoded(50), X_RAY // 2 + 60]
)
def test_a_copy_looks_the_same(copy):
    one, other = thumbnail(X_RAY), thumbnail(copy)
    assert one.shape == other.shape == (32, 32)
    assert bits(perceptual_hash(one), perceptual_hash(other)) <= 16


def test_other_images_look_different():
    hashes = [perceptual_hash(thumbnail(grey_pixels(200, 180, seed))) for seed in range(6)]
    assert min(bits(one, other) for one in hashes for other in hashes if one != other) > 60
    assert {len(each) for each in hashes} == {32}


def noise(level, deviation):
    generator = np.random.default_rng(1)
    return np.clip(generator.normal(level, deviation, (64, 64)), 0, 255).astype(np.uint8)


def with_a_marker():
    pixels = np.zeros((640, 640), np.uint8)
    pixels[40:100, 40:100] = 255
    return pixels


def mask(*levels, blur=1):
    rows, columns = np.mgrid[:256, :256]
    pixels = np.full((256, 256), levels[0], np.uint8)
    for middle in (80, 176):
        inside = ((columns - middle) / 38) ** 2 + ((rows - 128) / 85) ** 2 < 1
        pixels[inside] = levels[-1]
    return np.asarray(Image.fromarray(pixels).reduce(blur))


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((40, 40), np.uint8), np.full((99, 32), 255, np.uint8), noise(90, 2), X_RAY // 32],
)
def test_what_is_nearly_constant_is_blank(pixels):
    assert shows_nothing(thumbnail(pixels)).startswith("blank: ")


def test_a_marker_alone_is_blank():
    assert shows_nothing(thumbnail(with_a_marker())).startswith("blank: ")


@pytest.mark.parametrize(
    "pixels", [mask(0, 255), mask(0, 1, 200), mask(255, 30), mask(0, 255, blur=4)]
)
def test_two_levels_are_a_mask(pixels):
    assert shows_nothing(thumbnail(pixels)).startswith("mask: ")


@pytest.mark.parametrize("side", [560, 640, 720])
def test_a_small_x_ray_in_a_black_frame_is_not_a_mask(side):
    framed = np.zeros((side, side), np.uint8)
    framed[150:350, 100:400] = X_RAY
    assert shows_nothing(thumbnail(framed)) is None


def test_an_image_of_black_and_white_dots_is_none():
    dots = np.asarray(Image.fromarray(X_RAY).convert("1")).astype(np.uint8) * 255
    assert shows_nothing(thumbnail(dots)) is None


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("chest_xray", None),
        ("originals", None),
        ("adults", None),
        ("found/06_masks_learnt_as_pictures/NORMAL/images", None),
        ("found/06_masks_learnt_as_pictures/NORMAL/masks", "mask"),
        ("found/06_masks_learnt_as_pictures/PNEUMONIA/masks", "mask"),
    ],
)
def test_real_images(folder, reason):
    paths = sorted((SHARED / folder).rglob("*.[jp]*g"))
    if not paths:
        pytest.skip(f"these images are not on this machine (../shared/{folder})")
    for path in paths[:: 1 + len(paths) // 60]:
        _, pixels = decode_check.decode(path.read_bytes())
        found = shows_nothing(thumbnail(pixels))
        assert (found and found.split(":")[0]) == reason, path
