import numpy as np
import tensorflow as tf

from tests.trainer_module.input.augmentation.cases import IMAGE, still_but
from trainer_module.input.augmentation.occlusion import cut_out


def test_a_square_within_the_image_has_its_mean_and_the_rest_is_left():
    numbers = {
        "cutout": tf.constant([1.0, 0.0, 1.0]),
        "cutout_x": tf.constant([-1.0, 0.2, 1.0]),
        "cutout_y": tf.constant([1.0, -0.3, -1.0]),
    }
    pixels = np.repeat(IMAGE, 3, axis=0)
    out = cut_out(pixels, numbers, still_but(cutout=0.25)).numpy()[..., 0]
    covered = np.isclose(out, IMAGE.mean(), atol=1e-5) & (out != pixels[..., 0])
    for one, side in zip(covered, (40, 20, 40), strict=True):
        rows, columns = np.flatnonzero(one.any(axis=1)), np.flatnonzero(one.any(axis=0))
        assert np.ptp(rows) + 1 == np.ptp(columns) + 1 == side
        assert one.sum() > 0.95 * side**2
    assert covered[0, -1, 0]
    assert covered[2, 0, -1]
    np.testing.assert_array_equal(out[~covered], pixels[..., 0][~covered])
