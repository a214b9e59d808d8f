import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from tests.trainer_module.input.augmentation.cases import IMAGE, augmented, still_but
from trainer_module.input.augmentation.degradation import blur, compress

CHOSEN, LEFT = -1.0, 1.0


def test_blur_is_a_gaussian_of_each_images_own_deviation():
    sharp = np.random.default_rng(1).random((3, 160, 160, 1)).astype(np.float32)
    numbers = {
        "blur_chosen": tf.constant([CHOSEN, LEFT, CHOSEN]),
        "blur": tf.constant([1.0, 1.0, 0.0]),
    }
    out = blur(sharp, numbers, still_but(blur=2.0)).numpy()
    for index, deviation in ((0, 2.0), (2, 1.0)):
        expected = ndimage.gaussian_filter(sharp[index, ..., 0], deviation, truncate=6 / deviation)
        np.testing.assert_allclose(out[index, ..., 0], expected, atol=1e-4)
    np.testing.assert_array_equal(out[1], sharp[1])


def test_jpeg_is_what_tensorflow_encodes_at_that_quality():
    numbers = {"jpeg_chosen": tf.constant([CHOSEN]), "jpeg_quality": tf.constant([-1.0])}
    out = compress(IMAGE, numbers, still_but(jpeg_quality=20)).numpy()
    levels = np.round(IMAGE[0] * 255).astype(np.uint8)
    encoded = tf.io.encode_jpeg(levels, quality=20)
    np.testing.assert_allclose(out[0], tf.io.decode_jpeg(encoded).numpy() / 255, atol=1e-6)


@pytest.mark.parametrize("change", [{"blur": 2.0}, {"jpeg_quality": 20}])
def test_a_share_of_the_images_is_changed(change):
    for share, least, most in ((0, 0, 0), (0.25, 3, 30), (1, 55, 60)):
        out = augmented(60, **change, share=share)
        changed = sum(not np.array_equal(one, IMAGE[0]) for one in out)
        assert least <= changed <= most
