import numpy as np
import pytest
import tensorflow as tf

from tests.pictures import grey_pixels
from trainer_module.augmentation import random_affine, warp
from trainer_module.settings import AugmentationSettings

SIZE = 160
STILL = AugmentationSettings(zoom=0, shear=0, flip=False)
PICTURE = grey_pixels(SIZE, SIZE)[np.newaxis, ..., np.newaxis].astype(np.float32) / 255


def affine(index, settings):
    return random_affine(tf.constant([7, index], tf.int64), SIZE, settings)[tf.newaxis]


def test_switched_off_it_changes_nothing():
    np.testing.assert_array_equal(warp(PICTURE, affine(0, STILL)), PICTURE)


def test_flip_mirrors_about_half_of_the_pictures():
    flipped = 0
    for index in range(60):
        warped = warp(PICTURE, affine(index, STILL.model_copy(update={"flip": True}))).numpy()
        mirrored = np.allclose(warped, PICTURE[:, :, ::-1], atol=1e-5)
        assert mirrored or np.array_equal(warped, PICTURE)
        flipped += mirrored
    assert 15 <= flipped <= 45


@pytest.mark.parametrize("change", ["zoom", "shear"])
def test_the_centre_stays_and_the_rest_moves_within_bounds(change):
    settings = STILL.model_copy(update={change: 0.2})
    centre = (SIZE - 1) / 2
    moved = []
    for index in range(100):
        a0, a1, a2, b0, b1, b2, *_ = affine(index, settings)[0].numpy()
        assert a0 * centre + a1 * centre + a2 == pytest.approx(centre, abs=1e-3)
        assert b0 * centre + b1 * centre + b2 == pytest.approx(centre, abs=1e-3)
        moved.append(max(abs(a0 - 1), abs(b1 - 1), abs(a1)))
    assert max(moved) <= 0.2 + 1e-6
    assert max(moved) > 0.15


def test_same_seed_same_map_and_range_is_kept():
    settings = AugmentationSettings(zoom=0.3, shear=0.3)
    np.testing.assert_array_equal(affine(5, settings), affine(5, settings))
    assert not np.array_equal(affine(5, settings), affine(6, settings))
    warped = warp(PICTURE, affine(5, settings)).numpy()
    assert warped.shape == PICTURE.shape
    assert warped.min() >= PICTURE.min() - 1e-6
    assert warped.max() <= PICTURE.max() + 1e-6
