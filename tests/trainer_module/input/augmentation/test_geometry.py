import numpy as np
import pytest
import tensorflow as tf

from tests.trainer_module.input.augmentation.cases import IMAGE, SIZE, augmented, drawn, still_but
from trainer_module.input.augmentation import _NUMBERS as NUMBERS
from trainer_module.input.augmentation.geometry import affine, blacken_margins, warp

CENTRE = (SIZE - 1) / 2
STILL = (
    *("zoom_x", "zoom_y", "shear", "flip", "rotation", "shift_x", "shift_y"),
    *("crop_area", "crop_aspect", "crop_x", "crop_y"),
    *("margin_left", "margin_right", "margin_top", "margin_bottom"),
)


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
    numbers = {name: [0.7] for name in STILL if not name.startswith(("shift", "crop", "margin"))}
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


EDGES = (-0.5, SIZE - 0.5)


def corners(settings, **numbers):
    """Left, top, right and bottom of what fills the image."""
    return *moved(settings, EDGES[0], EDGES[0], **numbers), *moved(
        settings, EDGES[1], EDGES[1], **numbers
    )


@pytest.mark.parametrize(
    ("area", "aspect", "x", "y", "expected"),
    [
        # As much as there is, then a quarter of the area, in the middle and in two corners.
        (-1.0, 0.0, 1.0, -1.0, (0, 0, 1, 1)),
        (1.0, 0.0, 0.0, 0.0, (0.25, 0.25, 0.75, 0.75)),
        (1.0, 0.0, 1.0, -1.0, (0.5, 0, 1, 0.5)),
        (1.0, 0.0, -1.0, 1.0, (0, 0.5, 0.5, 1)),
        # Four times as wide as high.
        (1.0, 1.0, 0.0, 0.0, (0, 0.375, 1, 0.625)),
        # Twice as wide as the image was asked for: it has no more.
        (-1.0, 1.0, 0.0, 0.0, (0, 0.25, 1, 0.75)),
    ],
)
def test_a_crop_is_within_the_image_and_of_its_area_and_aspect(area, aspect, x, y, expected):
    numbers = {"crop_area": [area], "crop_aspect": [aspect], "crop_x": [x], "crop_y": [y]}
    found = corners(still_but(crop=0.75, crop_aspect=3), **numbers)
    np.testing.assert_allclose((np.array(found) + 0.5) / SIZE, expected, atol=1e-5)


def test_a_crop_of_a_turned_image_is_a_part_of_it():
    """What was in a corner of the turned image fills the crop of that corner."""
    settings = still_but(crop=0.75, crop_aspect=0, rotation=90)
    crop = {"crop_area": [1.0], "crop_aspect": [0.0], "crop_x": [1.0], "crop_y": [-1.0]}
    # The middle of the crop of the right upper quarter.
    turned = moved(still_but(rotation=90), SIZE * 3 / 4 - 0.5, SIZE / 4 - 0.5, rotation=[1.0])
    cropped = moved(settings, CENTRE, CENTRE, rotation=[1.0], **crop)
    np.testing.assert_allclose(cropped, turned, atol=1e-3)


def test_random_crops_keep_as_much_as_is_set_and_differ():
    settings = still_but(crop=0.6)
    rows = affine(dict(zip(NUMBERS, tf.unstack(drawn(200), axis=1), strict=True)), SIZE, settings)
    areas = (rows[:, 0] * rows[:, 4]).numpy()
    assert areas.min() == pytest.approx(0.4, abs=0.03)
    assert areas.max() <= 1
    assert len(set(areas.tolist())) == 200


def test_margins_surround_the_whole_image_and_are_black():
    """A left margin of a quarter and a lower one of a half of the image's side."""
    numbers = {
        "margin_left": [0.5],
        "margin_right": [-1.0],
        "margin_top": [0.0],
        "margin_bottom": [1.0],
    }
    settings = still_but(margin=0.5)
    found = (np.array(corners(settings, **numbers)) + 0.5) / SIZE
    np.testing.assert_allclose(found, (-0.25, 0, 1, 1.5), atol=1e-5)
    white = np.ones_like(IMAGE)
    given = {name: tf.constant(value) for name, value in numbers.items()}
    black = blacken_margins(white, given, settings).numpy()[0, :, :, 0]
    across, down = round(SIZE / 5), round(SIZE / 1.5)
    assert black[:down, across:].min() == 1
    assert black[:, :across].max() == 0
    assert black[down + 1 :].max() == 0


def test_a_margin_is_around_the_crop():
    settings = still_but(crop=0.75, crop_aspect=0, margin=0.5)
    crop = {"crop_area": [1.0], "crop_aspect": [0.0], "crop_x": [1.0], "crop_y": [-1.0]}
    found = (np.array(corners(settings, margin_left=[1.0], **crop)) + 0.5) / SIZE
    # Half as wide as the image, and a half of that beside it.
    np.testing.assert_allclose(found, (0.25, 0, 1, 0.5), atol=1e-5)
