import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer_module.input.augmentation.cases import IMAGE, STILL, augmented, drawn, still_but
from trainer_module.input import augmentation
from trainer_module.settings.augmentation import AugmentationSettings

pytestmark = pytest.mark.slow

CHANGES = {
    "zoom": 0.1,
    "shear": 0.1,
    "flip": True,
    "rotation": 10,
    "shift": 0.05,
    "crop": 0.5,
    "margin": 0.2,
    "contrast": 0.3,
    "brightness": 0.2,
    "gamma": 0.4,
    "noise": 0.05,
    "blur": 1.5,
    "jpeg_quality": 30,
    "cutout": 0.3,
}


def test_switched_off_it_changes_nothing():
    np.testing.assert_array_equal(augmented(4), np.repeat(IMAGE, 4, axis=0))


def test_every_setting_of_the_set_is_tested_here():
    assert set(AugmentationSettings.model_fields) == {*CHANGES, "crop_aspect", "share", "mixup"}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_changes_alike_for_a_seed_whatever_the_batch_also_in_a_dataset(change):
    chosen = still_but(**{change: CHANGES[change]}, share=0.7)
    pixels = np.repeat(IMAGE, 8, axis=0)
    numbers = drawn(8)
    together = augmentation.augment(pixels, numbers, chosen).numpy()
    assert not np.array_equal(together, pixels)
    mapped = (
        tf.data.Dataset.from_tensor_slices((pixels, numbers))
        .batch(2, drop_remainder=True)
        .map(lambda some, its: augmentation.augment(some, its, chosen))
    )
    assert mapped.element_spec.shape == (2, 160, 160, 1)
    np.testing.assert_allclose(
        np.concatenate(list(mapped.as_numpy_iterator())), together, atol=2e-3
    )


@settings(max_examples=15)
@given(
    changes=st.fixed_dictionaries(
        {
            "rotation": st.floats(0, 180),
            "crop": st.floats(0, 0.99),
            "crop_aspect": st.floats(0, 4),
            "margin": st.floats(0, 0.99),
            "contrast": st.floats(0, 0.99),
            "brightness": st.floats(0, 0.99),
            "gamma": st.floats(0, 4),
            "noise": st.floats(0, 0.99),
            "blur": st.floats(0, 5),
            "jpeg_quality": st.integers(0, 95),
            "share": st.floats(0, 1),
            "cutout": st.floats(0, 0.99),
        }
    ),
    level=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_intensities_stay_in_range_and_finite(changes, level):
    pixels = np.concatenate([IMAGE, np.full_like(IMAGE, level)])
    out = augmentation.augment(pixels, drawn(2), still_but(**changes)).numpy()
    assert out.shape == pixels.shape
    assert out.min() >= -1e-6
    assert out.max() <= 1 + 1e-6


def test_the_numbers_of_a_seed_are_what_they_were():
    """A resumed training, or one of another release, sees the same images."""
    first = augmentation.draw(tf.constant([7, 0], tf.int64)).numpy()
    were = [0.49415755, 0.34436035, -0.8844409, 0.28842640]
    np.testing.assert_allclose(first[:4], were, atol=1e-7)
    assert not np.array_equal(first, augmentation.draw(tf.constant([7, 1], tf.int64)))
    assert STILL.share == 0.25
