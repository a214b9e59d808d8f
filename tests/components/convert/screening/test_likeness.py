import functools

import numpy as np
import pytest

from components.convert.screening.appearance import thumbnail
from components.convert.screening.likeness import LEAST_IMAGES
from components.synthetic import generate, plan
from serving.images import decode_check
from tests.components.convert import former
from tests.components.convert.alone import compare
from tests.conftest import SHARED
from tests.images import grey_pixels


def chest(seed):
    """A drawing with dark lungs and a bright spine, a little different for each seed."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[:32, :32]
    shift, size = generator.normal(0, 1.2), generator.uniform(0.85, 1.15)
    lungs = sum(
        ((columns - middle - shift) / (5 * size)) ** 2 + ((rows - 15) / (10 * size)) ** 2 < 1
        for middle in (9, 22)
    )
    drawn = 170 - 110 * lungs + generator.normal(0, 12, (32, 32)) - rows
    return np.clip(drawn, 0, 255).astype(np.uint8)


CHESTS = np.stack([chest(seed) for seed in range(60)])


@pytest.mark.parametrize("number", [2, 3, 19, 20, 21, 60])
@pytest.mark.parametrize("inverted", [0, 1, 5])
@pytest.mark.parametrize("noise", [0, 4])
def test_the_images_are_found_that_were_when_all_were_held_in_memory(number, inverted, noise):
    some = CHESTS[:number].copy()
    some[:inverted] = 255 - some[:inverted]
    some[number - noise :] = np.random.default_rng(1).integers(0, 256, some[number - noise :].shape)
    found, expected = compare(some), former.compare(some)
    np.testing.assert_array_equal(found.inverted, expected.inverted)
    np.testing.assert_array_equal(found.unlike, expected.unlike)
    np.testing.assert_allclose(found.distance, expected.distance, rtol=0.01, atol=0.01)


def test_like_images_are_neither_inverted_nor_unlike():
    found = compare(CHESTS)
    assert not found.inverted.any()
    assert found.unlike.mean() <= 0.1


@pytest.mark.parametrize("number", [1, 5, 25])
def test_inverted_images_are_found(number):
    some = CHESTS.copy()
    some[:number] = 255 - some[:number]
    assert compare(some).inverted.tolist() == [index < number for index in range(60)]


def within_margins(thumbnails, level, sides):
    """Thumbnails of images to which margins were added at the left and right."""
    wide = np.pad(thumbnails, ((0, 0), (0, 0), (sides, sides)), constant_values=level)
    return np.stack([thumbnail(each) for each in wide])


@pytest.mark.parametrize("sides", [16, 20])
def test_white_margins_do_not_make_an_image_inverted(sides):
    across = np.exp(-(((np.arange(32) - 15.5) / 8) ** 2))
    bodies = (CHESTS * across).astype(np.uint8)
    padded = within_margins(bodies[:9], 255, sides)
    assert not compare(np.concatenate([padded, bodies[9:]])).inverted.any()
    padded = 255 - within_margins(bodies[:9], 0, sides)
    found = compare(np.concatenate([padded, bodies[9:]])).inverted
    assert found.tolist() == [True] * 9 + [False] * 51


def test_few_images_show_polarity_only_where_they_are_nearly_the_same():
    few = np.concatenate([CHESTS[:3], 255 - CHESTS[3:5]])
    assert compare(few).inverted.tolist() == [False] * 3 + [True] * 2
    assert not compare(few).unlike.any()


@pytest.mark.parametrize("number", [1, 2, LEAST_IMAGES - 1, LEAST_IMAGES, 100])
def test_images_with_nothing_in_common_say_nothing(number):
    random = np.stack([thumbnail(grey_pixels(64, 64, seed)) for seed in range(number)])
    found = compare(random)
    assert not found.inverted.any()
    assert not found.unlike.any()


def test_the_same_image_again_and_again_is_like_itself():
    found = compare(np.repeat(CHESTS[:1], 30, axis=0))
    assert not found.inverted.any()
    assert not found.unlike.any()


def test_what_is_not_a_chest_is_unlike():
    others = [
        np.rot90(CHESTS[50]),
        np.random.default_rng(1).integers(0, 256, (32, 32), dtype=np.uint8),
        np.indices((32, 32)).sum(axis=0).astype(np.uint8) * 4,
    ]
    found = compare(np.concatenate([CHESTS[:50], others]))
    assert found.unlike[50:].all()
    assert found.distance[50:].min() > np.quantile(found.distance[:50], 0.95)


def test_no_order_and_no_number_of_images_fails():
    assert compare(CHESTS[:0]).inverted.shape == (0,)
    turned = compare(CHESTS[::-1])
    np.testing.assert_array_equal(turned.inverted, compare(CHESTS).inverted[::-1])


@functools.cache
def real(folder, step):
    paths = sorted((SHARED / folder).rglob("*.jpeg"))[::step]
    if not paths:
        pytest.skip(f"these X-rays are not on this machine (../shared/{folder})")
    return np.stack([thumbnail(decode_check.decode(path.read_bytes())[1]) for path in paths])


@pytest.mark.parametrize(("folder", "step"), [("chest_xray", 30), ("adults", 1)])
def test_no_real_x_ray_is_inverted_until_it_is(folder, step):
    images = real(folder, step)
    found = compare(images)
    np.testing.assert_array_equal(found.unlike, former.compare(images).unlike)
    assert not found.inverted.any()
    assert found.unlike.mean() < 0.02
    chosen = np.arange(len(images)) % 20 == 0
    inverted = compare(np.where(chosen[:, np.newaxis, np.newaxis], 255 - images, images))
    assert not inverted.inverted[~chosen].any()
    assert inverted.inverted[chosen].mean() >= 0.6
    assert (inverted.inverted | inverted.unlike)[chosen].all()


def test_synthetic_images_are_like_each_other():
    drawn = [generate.render(each, 5).pixels for each in plan.plan(40, seed=5)]
    found = compare(np.stack([thumbnail(each) for each in drawn]))
    assert not found.inverted.any()
