import numpy as np
import pytest

from components.convert.screening.look import look
from transform_module.images.measures import MEASURES


def test_an_image_is_measured_as_the_model_sees_it():
    seen = look(np.full((50, 70), 90, np.uint8))
    assert tuple(seen) == MEASURES
    assert seen == {"brightness": 90, "contrast": 0, "sharpness": 0, "border": 90}


def test_the_size_of_the_file_hardly_changes_what_it_looks_like():
    pixels = np.kron(np.arange(64, dtype=np.uint8).reshape(8, 8) * 4, np.ones((40, 40), np.uint8))
    small = look(pixels)
    large = look(np.kron(pixels, np.ones((2, 2), np.uint8)))
    assert large == pytest.approx(small, abs=2)
