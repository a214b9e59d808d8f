"""Opacities that pneumonia adds to a healthy chest: air in the lungs gives way to fluid."""

from math import atan2

import numpy as np

from components.synthetic.anatomy import Anatomy
from components.synthetic.raster import Pixels, Pose, clouds, step, tree

# Side of the image (-1 is its left, the patient's right), height within the lung as a share from
# apex to base, and how often. Pneumonia prefers the lower lobes, the right one before the left.
LOBES = (
    (-1, 0.28, 0.14),
    (-1, 0.55, 0.16),
    (-1, 0.78, 0.32),
    (1, 0.28, 0.10),
    (1, 0.70, 0.28),
)


def bacterial(anatomy: Anatomy, lungs: Pixels, pose: Pose, rng: np.random.Generator) -> Pixels:
    """Returns one dense consolidation of a lobe, with open bronchi seen as dark branches in some.

    Args:
        anatomy: the patient.
        lungs: ``anatomy.lungs`` for this pose, float32 [height, width] in [0, 1].
        pose: of the patient.
        rng: the source of chance.

    Returns:
        float32 like ``lungs``, in [0, 1]: the share of the lung's air that is gone.
    """
    u, v = pose.coordinates(lungs.shape)
    side, depth, _ = LOBES[rng.choice(len(LOBES), p=[lobe[2] for lobe in LOBES])]
    centre = _inside(anatomy, side, depth + rng.normal(0, 0.05), rng.uniform(0.45, 0.75))
    radii = rng.uniform(0.2, 0.3), rng.uniform(0.17, 0.26)
    distance = np.hypot((u - centre[0]) / radii[0], (v - centre[1]) / radii[1])
    ragged = 1 - distance + 0.2 * clouds(rng, lungs.shape, 8)
    opacity = rng.uniform(0.7, 0.95) * step(ragged, 0.75)
    if rng.random() < 0.5:
        hilum = (side * anatomy.mediastinum, -0.05)
        heading = atan2(centre[1] - hilum[1], centre[0] - hilum[0])
        opacity *= 1 - 0.8 * pose.draw(tree(rng, hilum, heading, 0.2, 0.03), lungs.shape)
    return opacity * lungs


def viral(anatomy: Anatomy, lungs: Pixels, pose: Pose, rng: np.random.Generator) -> Pixels:
    """Returns several faint, streaky patches around the roots of both lungs.

    The arguments and the result are those of `bacterial`.
    """
    u, v = pose.coordinates(lungs.shape)
    clear = np.ones_like(lungs)
    for patch in range(rng.integers(6, 10)):
        centre = _inside(
            anatomy, -1 if patch % 2 else 1, rng.uniform(0.4, 0.8), rng.uniform(0.15, 0.7)
        )
        distance = np.hypot(u - centre[0], v - centre[1]) / rng.uniform(0.13, 0.22)
        clear *= 1 - rng.uniform(0.4, 0.7) * step(1 - distance, 1.4)
    streaks = clouds(rng, lungs.shape, 40)
    return (1 - clear) * np.clip(0.8 + 0.25 * streaks, 0, 1) * lungs


def _inside(anatomy: Anatomy, side: int, depth: float, share: float) -> tuple[float, float]:
    """Returns the point of a lung at ``depth`` (apex 0, base 1) and ``share`` of its width."""
    v = anatomy.apex + depth * (anatomy.base[1] - anatomy.apex)
    outer = float(anatomy.half_width(np.array([v], np.float32))[0])
    return side * (anatomy.mediastinum + share * (outer - anatomy.mediastinum)), v
