import numpy as np
import pytest

from components.synthetic.anatomy import Anatomy
from components.synthetic.opacities import LOBES, bacterial, viral
from components.synthetic.raster import Pose

SHAPE = (224, 200)
POSE = Pose(angle=0, scale=1, shift=(0, 0))


def drawn(kind, seed):
    rng = np.random.default_rng(seed)
    anatomy = Anatomy.sample(rng)
    lungs = anatomy.lungs(*POSE.coordinates(SHAPE))
    return lungs, kind(anatomy, lungs, POSE, rng)


def sides(opacity):
    left, right = opacity[:, :100].sum(), opacity[:, 100:].sum()
    return min(left, right) / (left + right)


@pytest.mark.parametrize("kind", [bacterial, viral])
@pytest.mark.parametrize("seed", range(10))
def test_an_opacity_takes_air_from_the_lungs_alone(kind, seed):
    lungs, opacity = drawn(kind, seed)
    assert opacity.min() >= 0
    assert (opacity <= lungs + 1e-6).all()
    assert 0.02 < opacity.sum() / lungs.sum() < 0.6
    assert opacity.max() > 0.3


def test_bacteria_fill_one_lobe_and_viruses_both_lungs():
    seeds = range(20)
    assert np.mean([sides(drawn(bacterial, seed)[1]) for seed in seeds]) < 0.05
    assert np.mean([sides(drawn(viral, seed)[1]) for seed in seeds]) > 0.25


def test_the_shares_of_the_lobes_sum_to_1():
    assert sum(share for *_, share in LOBES) == pytest.approx(1)
