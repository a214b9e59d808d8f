import numpy as np
import pytest

from components.synthetic.raster import Pose, band, clouds, resize, step, tree

STRAIGHT = Pose(angle=0, scale=1, shift=(0, 0))


def test_a_straight_chest_spans_the_height():
    u, v = STRAIGHT.coordinates((100, 50))
    assert u.dtype == v.dtype == np.float32
    assert v[[0, -1], 0] == pytest.approx([-0.99, 0.99])
    assert u[0, [0, -1]] == pytest.approx([-0.49, 0.49])


@pytest.mark.parametrize(
    "pose", [STRAIGHT, Pose(0.3, 1, (0, 0)), Pose(0, 0.8, (0, 0)), Pose(-0.2, 1.1, (0.1, -0.2))]
)
def test_lines_are_drawn_where_the_coordinates_say(pose):
    drawn = pose.draw([([(0.3, -0.5), (0.3, -0.4)], 0.05)], (300, 280))
    u, v = pose.coordinates((300, 280))
    assert (drawn * u).sum() / drawn.sum() == pytest.approx(0.3, abs=0.02)
    assert (drawn * v).sum() / drawn.sum() == pytest.approx(-0.45, abs=0.02)


def test_a_step_rises_from_0_to_1():
    assert step(np.array([-9, -0.05, 0, 0.05, 9]), 0.1) == pytest.approx([0, 0, 0.5, 1, 1])


def test_a_band_is_1_in_its_middle():
    assert band(np.array([-1, -0.2, 0, 0.2, 1]), 0.2, 0.1) == pytest.approx([0, 0.5, 1, 0.5, 0])


def test_resizing_keeps_the_mean():
    pixels = np.linspace(0, 1, 200, dtype=np.float32).reshape(10, 20)
    resized = resize(pixels, (35, 50))
    assert resized.shape == (35, 50)
    assert resized.mean() == pytest.approx(0.5, abs=0.01)


def test_clouds_are_smooth_noise():
    noise = clouds(np.random.default_rng(0), (200, 160), 10)
    assert noise.shape == (200, 160)
    assert 0.5 < noise.std() < 1.2
    assert np.abs(np.diff(noise, axis=0)).max() < 0.4


def test_a_tree_forks_and_thins_out():
    lines = tree(np.random.default_rng(0), (0, 0), 0, 0.2, 0.03)
    widths = [width for _, width in lines]
    assert lines[0][0][0] == (0, 0)
    assert widths[0] == max(widths) == 0.03
    assert min(widths) >= 0.006
    assert len(lines) == 2 ** len(set(widths)) - 1
