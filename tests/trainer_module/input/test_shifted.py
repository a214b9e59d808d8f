import numpy as np
import pytest

from tests.trainer_module import small
from trainer_module.input import shifted
from trainer_module.settings.trainer import WORST_SHIFT
from transform_module.images.shifts import SHIFTS
from transform_module.settings import TransformSettings


def pixels_of(images):
    return np.stack([pixels.numpy() for pixels in images.pixels])


def test_without_the_setting_a_split_is_seen_as_it_is():
    images = small.images(8)
    assert shifted.views(images, small.SETTINGS, TransformSettings()) == [images]


def test_with_it_the_split_comes_first_and_then_each_shift_of_the_same_images():
    images = small.images(8)
    settings = small.SETTINGS.model_copy(update={"select_by": WORST_SHIFT})
    first, *others = shifted.views(images, settings, TransformSettings())
    assert first is images
    assert len(others) == len(SHIFTS)
    for kind, other in zip(SHIFTS, others, strict=True):
        np.testing.assert_array_equal(other.labels, images.labels)
        assert other.patients.tolist() == images.patients.tolist()
        changed = (pixels_of(other) != pixels_of(images)).any(axis=(1, 2, 3))
        expected = {"soft NORMAL": images.labels == 0, "soft PNEUMONIA": images.labels == 1}
        np.testing.assert_array_equal(changed, expected.get(kind, np.ones(8, bool)))


def test_of_a_large_split_a_sample_is_shifted(monkeypatch):
    monkeypatch.setattr(shifted, "MOST", 5)
    for other in shifted.shifted(small.images(32), TransformSettings()):
        assert other.count == len(pixels_of(other)) == 5
        assert other.patients.tolist() == [b"0", b"7", b"15", b"23", b"31"]


@pytest.mark.parametrize("contrast", ["percentile", "equalize"])
def test_grey_levels_are_spread_after_the_shift_as_in_serving(contrast):
    for kind, other in zip(
        SHIFTS,
        shifted.shifted(small.images(4), TransformSettings(contrast=contrast)),
        strict=True,
    ):
        if not kind.startswith("soft "):
            assert (pixels_of(other).max(axis=(1, 2, 3)) == 255).all(), kind
