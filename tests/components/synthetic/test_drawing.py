import numpy as np
import pytest

from components.synthetic.anatomy import Anatomy
from components.synthetic.drawing import BACTERIA, NORMAL, VIRUS, draw

SUBTYPES = [NORMAL, BACTERIA, VIRUS]


def drawn(subtype, seed=0):
    return draw(Anatomy.sample(np.random.default_rng(1)), subtype, np.random.default_rng(seed))


@pytest.mark.parametrize("subtype", SUBTYPES)
@pytest.mark.parametrize("seed", range(5))
def test_an_image_is_grey_and_of_a_plausible_size(subtype, seed):
    drawing = drawn(subtype, seed)
    height, width = drawing.pixels.shape
    assert drawing.pixels.dtype == np.uint8
    assert drawing.opacity.shape == (height, width)
    assert 200 <= width <= 700
    assert 0.9 < width / height < 1.5
    assert drawing.pixels.std() > 25


@pytest.mark.parametrize("subtype", SUBTYPES)
def test_the_same_arguments_give_the_same_image(subtype):
    np.testing.assert_array_equal(drawn(subtype).pixels, drawn(subtype).pixels)


@pytest.mark.parametrize("seed", range(5))
def test_opacity_is_there_in_pneumonia_alone(seed):
    assert drawn(NORMAL, seed).opacity.max() == 0
    assert drawn(BACTERIA, seed).opacity.max() > 0.4
    assert drawn(VIRUS, seed).opacity.max() > 0.3


def test_two_images_of_a_patient_differ():
    assert drawn(NORMAL, 0).pixels.shape != drawn(NORMAL, 1).pixels.shape


def test_the_size_knows_nothing_of_the_subtype():
    assert len({drawn(subtype, seed=3).pixels.shape for subtype in SUBTYPES}) == 1


def test_an_opacity_brightens_where_it_lies():
    inside, around = [], []
    for seed in range(10):
        drawing = drawn(BACTERIA, seed)
        dense = drawing.opacity > 0.5
        mirrored = dense[:, ::-1] & (drawing.opacity == 0)
        inside.append(drawing.pixels[dense].mean())
        around.append(drawing.pixels[mirrored].mean())
    assert np.mean(inside) > np.mean(around) + 20
