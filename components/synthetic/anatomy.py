"""A healthy child's chest, as dense as X-rays see it."""

from dataclasses import dataclass
from math import pi

import numpy as np

from components.synthetic.raster import Pixels, Pose, band, clouds, step, tree


@dataclass(frozen=True)
class Anatomy:
    """What stays the same between two images of one patient, in the coordinates of the chest.

    Args:
        lung: half width of the chest inside the ribs, at the diaphragm.
        apex: height (v) of the top of the lungs.
        base: height (v) of the domes of the diaphragm, as (left, right) in the image.
        mediastinum: half width of the band between the lungs.
        heart: its middle (u, v) and its half axes.
        rib_gap: distance between two ribs.
        rib_phase: where the first rib is, as a share of ``rib_gap``.
        bone: density of the ribs.
        air: how much less dense than tissue the lungs are.
        torso: half width of the body.
    """

    lung: float
    apex: float
    base: tuple[float, float]
    mediastinum: float
    heart: tuple[float, float, float, float]
    rib_gap: float
    rib_phase: float
    bone: float
    air: float
    torso: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Anatomy":
        """Draws a patient."""
        lung = rng.uniform(0.68, 0.82)
        base = rng.uniform(0.42, 0.56)
        return cls(
            lung=lung,
            apex=rng.uniform(-0.76, -0.66),
            base=(base - rng.uniform(0.0, 0.06), base),
            mediastinum=rng.uniform(0.12, 0.17),
            heart=(
                rng.uniform(0.06, 0.11),
                base - rng.uniform(0.16, 0.24),
                rng.uniform(0.30, 0.40),
                rng.uniform(0.36, 0.46),
            ),
            rib_gap=rng.uniform(0.145, 0.18),
            rib_phase=rng.uniform(0, 1),
            bone=rng.uniform(0.08, 0.14),
            air=rng.uniform(0.36, 0.44),
            torso=lung + rng.uniform(0.12, 0.24),
        )

    def half_width(self, v: Pixels) -> Pixels:
        """Returns how far the lungs reach to the side at height ``v``; 0 above their apex."""
        depth = np.clip((v - self.apex) / (self.base[1] - self.apex), 0, 1)
        return self.lung * (1 - (1 - depth) ** 2.4) ** 0.6 * (1 + 0.04 * depth)

    def lungs(self, u: Pixels, v: Pixels) -> Pixels:
        """Returns where the lungs are seen, float32 in [0, 1] per pixel."""
        away = np.abs(u)
        dome = np.where(u < 0, self.base[0], self.base[1]) + 0.75 * (away - 0.36) ** 2
        u0, v0, a, b = self.heart
        tilted = (u - u0) - 0.35 * (v - v0)
        heart = step(1 - np.sqrt((tilted / a) ** 2 + ((v - v0) / b) ** 2), 0.22)
        sides = step(self.half_width(v) - away, 0.05)
        middle = step(away - self.mediastinum * (1 - 0.2 * v), 0.07)
        return sides * middle * step(dome - v, 0.05) * (1 - heart)


def density(anatomy: Anatomy, lungs: Pixels, pose: Pose, rng: np.random.Generator) -> Pixels:
    """Returns a healthy chest, float32 like ``lungs``: about 0 for air, 1 for bone on tissue.

    Args:
        anatomy: the patient.
        lungs: ``anatomy.lungs`` for this pose.
        pose: of the patient.
        rng: the source of what differs between images: vessels, gas, the wash of soft tissue.
    """
    shape = lungs.shape
    u, v = pose.coordinates(shape)
    away = np.abs(u)
    half_width = anatomy.half_width(v)

    neck = step(0.2 + 1.3 * step(v + 0.78, 0.55) - away, 0.12)
    arms_apart = rng.uniform(0.06, 0.2)
    torso = step(anatomy.torso + 0.05 * v - away, 0.06)
    arm = band(away - anatomy.torso - arms_apart - 0.2 - 0.1 * v, 0.17, 0.1)
    shoulder = step(-0.42 - v - 0.3 * (away - anatomy.torso), 0.2)
    body = neck * np.maximum(torso, np.maximum(0.75 * arm, shoulder))

    abdomen = step(v - anatomy.base[1] + 0.02, 0.3)
    gas_u, gas_v = rng.uniform(0.3, 0.5), rng.uniform(0.75, 0.95)
    gas = step(1 - np.hypot((u - gas_u) / 0.2, (v - gas_v) / 0.13), 0.9) * rng.uniform(0, 1)
    tissue = 0.56 + 0.1 * abdomen * (1 - gas) + 0.1 * band(u, 0.12, 0.25)
    tissue = tissue - 0.06 * away + 0.02 * clouds(rng, shape, 4)

    inside = step(half_width + 0.03 - away, 0.05) * step(0.75 - v, 0.4)
    posterior = _ribs(v - 0.9 * (away - 0.22) ** 2, anatomy.rib_gap, anatomy.rib_phase)
    anterior = _ribs(v + 0.5 * away + 0.3 * away**2, anatomy.rib_gap * 1.15, 0.3)
    ribs = posterior * step(away - 0.1, 0.1) + 0.55 * anterior * step(away - 0.33, 0.2)
    wall = band(away - half_width - 0.02, 0.015, 0.05) * step(v - anatomy.apex, 0.3)
    bone = anatomy.bone * (0.4 + 0.6 * lungs) * inside * (ribs + 0.8 * wall * step(0.7 - v, 0.3))

    vertebrae = 0.5 + 0.5 * np.cos(v * np.float32(2 * pi / 0.125))
    spine = band(u, 0.075, 0.03) * (0.05 + 0.05 * step(vertebrae - 0.35, 0.4))
    windpipe = band(u + 0.01, 0.035, 0.04) * step(-0.3 - v, 0.2)
    clavicles = band(v - anatomy.apex - 0.05 + 0.26 * away - 0.05 * np.sin(7 * away), 0.02, 0.03)
    clavicles = clavicles * band(away - 0.42, 0.34, 0.06)
    humerus = step(0.12 - np.hypot(away - anatomy.torso - 0.2, v + 0.72), 0.05)

    vessels = pose.draw(
        [
            line
            for side in (-1, 1)
            for heading in (-1.1, -0.5, 0.1, 0.6, 1.2)
            for line in tree(
                rng,
                (side * (anatomy.mediastinum + 0.02), rng.uniform(-0.15, 0.05)),
                heading if side > 0 else pi - heading,
                rng.uniform(0.14, 0.22),
                0.024,
            )
        ],
        shape,
    )
    return (
        body * tissue
        + bone
        + spine * body
        + 0.13 * clavicles
        + 0.1 * humerus * body
        - 0.12 * windpipe
        - lungs * (anatomy.air - 0.15 * vessels)
    ).astype(np.float32)


def _ribs(height: Pixels, gap: float, phase: float) -> Pixels:
    """Returns bands every ``gap`` of ``height``, brighter at their edges, as ribs' cortex is."""
    offset = (height / np.float32(gap) + np.float32(phase)) % 1 - np.float32(0.5)
    rib = band(offset, 0.2, 0.12)
    return rib * (0.75 + 0.35 * step(np.abs(offset) - 0.12, 0.12))
