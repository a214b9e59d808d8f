import numpy as np
import pytest

from components.convert.screening.appearance import thumbnail
from tests.benchmarks.copies import HASHES, false_matches
from tests.images import grey_pixels


@pytest.mark.parametrize("name", sorted(HASHES))
def test_only_pairs_of_different_patients_are_false(name):
    images = [thumbnail(grey_pixels(64, 64, seed)) for seed in (1, 1, 1, 2)]
    counts = false_matches(images, ["a", "a", "b", "c"], name, most=(0, 256))
    assert counts == [2, 5]


def test_no_pair_is_not_a_failure():
    images = [np.zeros((32, 32), np.uint8)]
    assert false_matches(images, ["a"], "pHash") == [0] * 6
