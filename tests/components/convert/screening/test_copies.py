import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from components.convert.screening import copies
from components.convert.screening.appearance import perceptual_hash, thumbnail
from components.convert.screening.copies import MOST_BITS, SEGMENTS, candidates, groups
from tests.components.convert import former
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


def found_candidates(hashes):
    """The pairs that are candidates by any segment, each once."""
    blocks = [each for segment in range(SEGMENTS) for each in candidates(hashes, segment)]
    return {tuple(sorted(pair)) for pair in np.concatenate(blocks).tolist()}


@st.composite
def hashes_with_copies(draw):
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    hashes = random.integers(0, 256, (draw(st.integers(1, 60)), 32), dtype=np.uint8)
    bits = np.unpackbits(hashes, axis=1)
    for _ in range(draw(st.integers(0, 20))):
        one, other = random.integers(0, len(bits), 2)
        bits[other] = bits[one]
        bits[other, random.choice(256, draw(st.integers(0, 34)), replace=False)] ^= 1
    return np.packbits(bits, axis=1)


@settings(max_examples=60, deadline=None)
@given(hashes=hashes_with_copies())
def test_all_pairs_of_few_bits_are_candidates_unless_their_hashes_are_the_same(hashes):
    bits = np.unpackbits(hashes, axis=1)
    _, first = np.unique(hashes, axis=0, return_index=True)
    near = {
        (one, other)
        for one in first.tolist()
        for other in first.tolist()
        if one < other and (bits[one] != bits[other]).sum() <= MOST_BITS
    }
    found = found_candidates(hashes)
    assert near <= found
    assert all((bits[one] != bits[other]).sum() <= MOST_BITS for one, other in found)
    groups_of = connected(len(hashes), found)
    for one, other in zip(*np.triu_indices(len(hashes), 1), strict=True):
        if (bits[one] != bits[other]).sum() <= MOST_BITS:
            assert groups_of[one] == groups_of[other]


def connected(number, pairs):
    group = list(range(number))
    for _ in range(number):
        for one, other in pairs:
            group[one] = group[other] = min(group[one], group[other])
    return group


def test_candidates_across_parts_of_a_long_list_are_found(monkeypatch):
    monkeypatch.setattr(copies, "_AT_ONCE", 100)
    hashes = np.random.default_rng(1).integers(0, 256, (3000, 32), dtype=np.uint8)
    pairs = [(3, 600), (511, 512), (1000, 2096)]
    for one, other in pairs:
        hashes[other] = hashes[one]
        hashes[other, :14:2] ^= 3
    assert sorted(found_candidates(hashes)) == pairs


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), number=st.integers(0, 30))
def test_the_groups_are_what_they_were_when_all_pairs_were_confirmed(seed, number):
    random = np.random.default_rng(seed)
    images = [grey_pixels(64, 64, int(each)) for each in random.integers(0, 8, number)]
    images = [half(each) if random.integers(2) else each for each in images]
    hashes, small = (
        looks(images) if images else (np.zeros((0, 32), np.uint8), np.zeros((0, 32, 32)))
    )
    assert groups(hashes, small).tolist() == former.groups(hashes, small).tolist()
