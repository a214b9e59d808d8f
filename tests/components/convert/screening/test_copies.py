import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from components.convert.screening.appearance import perceptual_hash, thumbnail
from components.convert.screening.copies import distances, groups
from tests.images import grey_pixels


def looks(images):
    small = np.stack([thumbnail(each) for each in images])
    hashes = np.stack([np.frombuffer(perceptual_hash(each), np.uint8) for each in small])
    return hashes, small


def half(pixels):
    return np.asarray(Image.fromarray(pixels).reduce(2))


def test_copies_have_the_index_of_the_first():
    images = [grey_pixels(seed=seed) for seed in range(4)]
    found = groups(*looks([images[0], images[1], half(images[0]), images[2], images[1] // 2]))
    assert found.tolist() == [0, 1, 0, 3, 1]


def test_copies_of_copies_are_one_group():
    noise = np.random.default_rng(1).normal(0, 1, (180, 200))
    image = grey_pixels().astype(float)
    steps = [np.clip(image + 14 * step * noise, 0, 255).astype(np.uint8) for step in range(4)]
    assert groups(*looks(steps)).tolist() == [0, 0, 0, 0]


def test_an_image_that_only_hashes_alike_is_not_a_copy():
    hashes, small = looks([grey_pixels(seed=seed) for seed in range(3)])
    assert groups(np.repeat(hashes[:1], 3, axis=0), small).tolist() == [0, 1, 2]


def test_an_image_that_only_correlates_is_not_a_copy():
    hashes, small = looks([grey_pixels(seed=seed) for seed in range(2)])
    assert groups(hashes, np.repeat(small[:1], 2, axis=0)).tolist() == [0, 1]


def test_no_images_and_one_have_no_copies():
    hashes, small = looks([grey_pixels()])
    assert groups(hashes, small).tolist() == [0]
    assert groups(hashes[:0], small[:0]).tolist() == []


@settings(max_examples=25)
@given(seed=st.integers(0, 1000), number=st.integers(0, 40), most=st.integers(0, 256))
def test_all_pairs_are_compared_once(seed, number, most):
    hashes = np.random.default_rng(seed).integers(0, 256, (number, 32), dtype=np.uint8)
    found = {tuple(row) for block in distances(hashes, most) for row in block.tolist()}
    bits = np.unpackbits(hashes, axis=1)
    wanted = {
        (one, other, int((bits[one] != bits[other]).sum()))
        for one in range(number)
        for other in range(one + 1, number)
    }
    assert found == {each for each in wanted if each[2] <= most}


def test_pairs_across_blocks_are_found():
    hashes = np.random.default_rng(1).integers(0, 256, (5000, 32), dtype=np.uint8)
    copies = [(3, 600), (511, 512), (1000, 4096), (4095, 4999)]
    for one, other in copies:
        hashes[other] = hashes[one]
    found = [tuple(row[:2]) for block in distances(hashes, 10) for row in block.tolist()]
    assert sorted(found) == copies
