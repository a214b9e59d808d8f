import numpy as np
import pytest
import tensorflow as tf

from tests.trainer_module.input.augmentation.cases import IMAGE, SIZE, augmented, still_but
from trainer_module.input.augmentation.geometry import affine, warp

CENTRE = (SIZE - 1) / 2
STILL = ("zoom_x", "zoom_y", "shear", "flip", "rotation", "shift_x", "shift_y")


def maps(settings, **numbers):
    count = max(map(len, numbers.values()))
    still = dict.fromkeys(STILL, [0.0] * count)
    given = {name: tf.constant(value) for name, value in {**still, **numbers}.items()}
    return affine(given, SIZE, settings)


def moved(settings, x, y, **numbers):
    """Where the pixel that stands at (x, y) after the change stood before."""
    a0, a1, a2, b0, b1, b2, *_ = maps(settings, **numbers)[0].numpy()
    return a0 * x + a1 * y + a2, b0 * x + b1 * y + b2


def test_flip_mirrors_about_half_of_the_images():
    flipped = 0
    for warped in augmented(60, flip=True):
        mirrored = np.allclose(warped, IMAGE[0, :, ::-1], atol=1e-5)
        assert mirrored or np.array_equal(warped, IMAGE[0])
        flipped += mirrored
    assert 15 <= flipped <= 45


@pytest.mark.parametrize("change", ["zoom", "shear", "rotation"])
def test_the_centre_stays(change):
    numbers = {name: [0.7] for name in STILL if not name.startswith("shift")}
    at = moved(still_but(**{change: 0.5}), CENTRE, CENTRE, **numbers)
    np.testing.assert_allclose(at, (CENTRE, CENTRE), atol=1e-3)


def test_zoom_shear_and_shift_go_as_far_as_they_are_set():
    assert moved(still_but(zoom=0.2), CENTRE + 10, CENTRE, zoom_x=[1.0]) == pytest.approx(
        (CENTRE + 12, CENTRE)
    )
    assert moved(still_but(shear=0.2), CENTRE, CENTRE + 10, shear=[-1.0]) == pytest.approx(
        (CENTRE - 2, CENTRE + 10)
    )
    assert moved(still_but(shift=0.1), 40, 50, shift_x=[1.0], shift_y=[-0.5]) == pytest.approx(
        (56, 42), abs=1e-3
    )


def test_a_quarter_turn_is_numpys():
    for number, turns in ((1.0, 1), (-1.0, -1)):
        turned = warp(IMAGE, maps(still_but(rotation=90), rotation=[number]))
        np.testing.assert_allclose(turned[0], np.rot90(IMAGE[0], turns), atol=1e-3)


def test_all_changes_together_are_one_map_of_scaling_shearing_and_turning():
    settings = still_but(zoom=0.1, shear=0.2, rotation=30)
    row = maps(settings, zoom_x=[0.5], zoom_y=[-0.5], shear=[0.4], rotation=[0.5])[0].numpy()
    angle = np.radians(15)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    expected = np.array([[1.05, 0.08], [0, 0.95]]) @ turn
    np.testing.assert_allclose(row.reshape(4, 2)[:3].ravel()[[0, 1, 3, 4]], expected.ravel(), 1e-5)
