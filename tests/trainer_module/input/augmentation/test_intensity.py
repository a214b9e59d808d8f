import numpy as np
import pytest
import tensorflow as tf

from tests.trainer_module.input.augmentation.cases import IMAGE, still_but
from trainer_module.input.augmentation.intensity import add_noise, expose


def exposed(settings, **numbers):
    still = dict.fromkeys(("gamma", "contrast", "brightness"), 0.0)
    given = {name: tf.constant([number]) for name, number in {**still, **numbers}.items()}
    return expose(IMAGE, given, settings).numpy()


def test_gamma_is_a_power_of_the_pixels():
    brighter = exposed(still_but(gamma=0.5), gamma=-1.0)
    np.testing.assert_allclose(brighter, IMAGE ** (1 / 1.5), atol=6e-3)
    np.testing.assert_allclose(exposed(still_but(gamma=0.5), gamma=1.0), IMAGE**1.5, atol=6e-3)


def test_contrast_scales_about_the_mean():
    flat = exposed(still_but(contrast=0.5), contrast=-1.0)
    assert flat.mean() == pytest.approx(IMAGE.mean(), abs=1e-4)
    assert flat.std() == pytest.approx(IMAGE.std() / 2, rel=1e-3)


def test_brightness_adds():
    brighter = exposed(still_but(brightness=0.2), brightness=0.5)
    np.testing.assert_allclose(brighter, np.minimum(IMAGE + 0.1, 1), atol=1e-5)


def test_noise_has_its_deviation_and_differs_from_image_to_image():
    grey = np.full((3, 160, 160, 1), 0.5, np.float32)
    numbers = {
        "noise": tf.constant([1.0, 1.0, -0.5]),
        "noise_place": tf.constant([-1.0, 0.3, 0.999]),
    }
    noise = add_noise(grey, numbers, still_but(noise=0.05)).numpy() - grey
    np.testing.assert_allclose(noise.std(axis=(1, 2, 3)), [0.05, 0.05, 0.025], rtol=0.03)
    np.testing.assert_allclose(noise.mean(axis=(1, 2, 3)), 0, atol=2e-3)
    assert abs(np.corrcoef(noise.reshape(3, -1)) - np.eye(3)).max() < 0.03
