import numpy as np
import pytest

from components.synthetic.anatomy import Anatomy, density
from components.synthetic.raster import Pose

SHAPE = (224, 200)
POSE = Pose(angle=0, scale=1, shift=(0, 0))


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(params=range(5))
def anatomy(request):
    return Anatomy.sample(rng(request.param))


def lungs_of(anatomy):
    return anatomy.lungs(*POSE.coordinates(SHAPE))


def test_a_patient_is_drawn_by_the_seed():
    assert Anatomy.sample(rng(1)) == Anatomy.sample(rng(1)) != Anatomy.sample(rng(2))


def test_there_are_two_lungs_beside_the_middle(anatomy):
    lungs = lungs_of(anatomy)
    assert lungs.min() >= 0
    assert lungs.max() <= 1
    left, middle, right = lungs[:, :85].sum(), lungs[:, 98:102].sum(), lungs[:, 115:].sum()
    assert min(left, right) > 20 * middle
    assert 0.1 < lungs.mean() < 0.5


def test_lungs_end_at_their_apex(anatomy):
    u, v = POSE.coordinates(SHAPE)
    assert anatomy.half_width(v)[v < anatomy.apex].max() == 0
    assert lungs_of(anatomy)[(v < anatomy.apex - 0.05) & (u == u)].max() < 0.5


def test_air_is_darker_than_what_surrounds_it(anatomy):
    lungs = lungs_of(anatomy)
    chest = density(anatomy, lungs, POSE, rng())
    assert chest.dtype == np.float32
    assert chest.shape == SHAPE
    assert chest[lungs > 0.9].mean() < chest[90:150, 95:105].mean() - 0.2


def test_a_healthy_chest_is_deterministic(anatomy):
    lungs = lungs_of(anatomy)
    np.testing.assert_array_equal(
        density(anatomy, lungs, POSE, rng(3)), density(anatomy, lungs, POSE, rng(3))
    )
