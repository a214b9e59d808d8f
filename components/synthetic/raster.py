"""Position of a chest in an image, and the soft shapes that it is drawn with.

A chest is drawn in its own coordinates: ``u`` to the right and ``v`` down, both 0 in its middle;
a chest of scale 1 spans -1 to 1 from the top of the image to its bottom.
"""

from dataclasses import dataclass
from math import cos, sin

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Pixels = NDArray[np.floating]
Line = tuple[list[tuple[float, float]], float]
"""The points (u, v) of a line, and its width in the same unit."""


@dataclass(frozen=True)
class Pose:
    """How the chest lies in the image.

    Args:
        angle: rotation in radians.
        scale: size of the chest relative to the height of the image.
        shift: of its middle, in half heights of the image, as (right, down).
    """

    angle: float
    scale: float
    shift: tuple[float, float]

    @classmethod
    def sample(cls, rng: np.random.Generator) -> "Pose":
        """Draws the pose of a child that does not keep quite still."""
        return cls(
            angle=rng.normal(0, 0.035),
            scale=rng.uniform(0.9, 1.1),
            shift=(rng.uniform(-0.07, 0.07), rng.uniform(-0.07, 0.07)),
        )

    def coordinates(self, shape: tuple[int, int]) -> tuple[Pixels, Pixels]:
        """Returns u and v of every pixel, each float32 of ``shape`` (height, width)."""
        height, width = shape
        y = ((np.arange(height, dtype=np.float32) + 0.5) * 2 / height - 1 - self.shift[1])[:, None]
        x = ((np.arange(width, dtype=np.float32) * 2 + 1 - width) / height - self.shift[0])[None]
        c, s = np.float32(cos(self.angle) / self.scale), np.float32(sin(self.angle) / self.scale)
        return c * x + s * y, c * y - s * x

    def draw(self, lines: list[Line], shape: tuple[int, int]) -> Pixels:
        """Returns ``lines`` as soft strokes, float32 [height, width] in [0, 1]."""
        height, width = shape
        c, s = cos(self.angle) * self.scale, sin(self.angle) * self.scale
        canvas = Image.new("L", (width, height))
        pen = ImageDraw.Draw(canvas)
        for points, thickness in lines:
            pixels = [
                (
                    ((c * u - s * v + self.shift[0]) * height + width) / 2,
                    (s * u + c * v + self.shift[1] + 1) * height / 2,
                )
                for u, v in points
            ]
            strength = min(255, round(255 * thickness * self.scale * height / 4))
            stroke = max(1, round(thickness * self.scale * height / 2))
            pen.line(pixels, fill=strength, width=stroke, joint="curve")
        soft = canvas.filter(ImageFilter.GaussianBlur(0.8))
        return np.asarray(soft, np.float32) / 255


def step(distance: Pixels, softness: float) -> Pixels:
    """Rises smoothly from 0 where ``distance`` is below -softness/2 to 1 above softness/2."""
    t = np.clip(distance / np.float32(softness) + np.float32(0.5), 0, 1)
    return t * t * (3 - 2 * t)


def band(distance: Pixels, half_width: float, softness: float) -> Pixels:
    """Is 1 within ``half_width`` of ``distance`` 0, and falls softly to 0 around it."""
    return step(half_width - np.abs(distance), softness)


def resize(pixels: Pixels, shape: tuple[int, int]) -> Pixels:
    """Returns ``pixels`` at ``shape`` (height, width), float32, bicubic."""
    return np.asarray(Image.fromarray(pixels).resize(shape[::-1], Image.Resampling.BICUBIC))


def clouds(rng: np.random.Generator, shape: tuple[int, int], cells: int) -> Pixels:
    """Returns smooth noise of about unit variance with ``cells`` blobs along the height."""
    height, width = shape
    grid = (cells + 1, max(2, round(cells * width / height) + 1))
    return resize(rng.standard_normal(grid, dtype=np.float32), shape)


def tree(
    rng: np.random.Generator, root: tuple[float, float], heading: float, length: float, width: float
) -> list[Line]:
    """Returns a forking tree, as vessels and bronchi branch, from ``root``.

    Args:
        rng: the source of its forks.
        root: where it starts, as (u, v).
        heading: the direction of its trunk in radians; 0 is right, pi/2 down.
        length: of the trunk; every fork is shorter by a third or so.
        width: of the trunk; every fork is thinner by a third.
    """
    if width < 0.006:
        return []
    bend = rng.normal(0, 0.2)
    middle = (
        root[0] + length / 2 * cos(heading + bend),
        root[1] + length / 2 * sin(heading + bend),
    )
    tip = (
        middle[0] + length / 2 * cos(heading - bend),
        middle[1] + length / 2 * sin(heading - bend),
    )
    lines: list[Line] = [([root, middle, tip], width)]
    for side in (-1, 1):
        turn = side * rng.uniform(0.2, 0.6)
        lines += tree(rng, tip, heading + turn, length * rng.uniform(0.6, 0.95), width * 0.68)
    return lines
