"""From a patient and a subtype to the pixels of one X-ray, and where its opacity lies."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from components.synthetic.anatomy import Anatomy, density
from components.synthetic.opacities import bacterial, viral
from components.synthetic.raster import Pixels, Pose, resize

NORMAL, BACTERIA, VIRUS = "normal", "bacteria", "virus"

_OPACITIES: dict[str, Callable[[Anatomy, Pixels, Pose, np.random.Generator], Pixels]] = {
    BACTERIA: bacterial,
    VIRUS: viral,
}

# Strokes of an R and of an L, in a box of height 1. The R is at the patient's right, which is
# the image's left.
_LETTERS = (
    ((0, 1), (0, 0), (0.5, 0), (0.55, 0.25), (0.5, 0.5), (0, 0.5), (0.15, 0.5), (0.6, 1)),
    ((0, 0), (0, 1), (0.55, 1)),
)

# The chest is drawn this high, then resized to the image: shapes are soft, so more pixels cost
# time and show nothing; only the grain is drawn at the size of the image.
CANVAS_HEIGHT = 224


@dataclass(frozen=True)
class Drawing:
    """An X-ray and what is wrong in it.

    Args:
        pixels: uint8 [height, width], grey.
        opacity: float32 [height, width] in [0, 1]: the share of the lung's air that is gone; 0
            everywhere in a normal image.
    """

    pixels: NDArray[np.uint8]
    opacity: Pixels


def draw(anatomy: Anatomy, subtype: str, rng: np.random.Generator) -> Drawing:
    """Draws one X-ray; size, pose, exposure, grain and markers know nothing of ``subtype``.

    Args:
        anatomy: the patient.
        subtype: ``normal``, ``bacteria`` or ``virus``.
        rng: the source of all that differs between two images of a patient.

    Returns:
        The image, 200 to 700 pixels wide, and its opacity.
    """
    width = int(rng.integers(200, 701))
    shape = (round(width / rng.uniform(0.95, 1.45)), width)
    canvas = (CANVAS_HEIGHT, round(CANVAS_HEIGHT * shape[1] / shape[0]))
    pose = Pose.sample(rng)
    lungs = anatomy.lungs(*pose.coordinates(canvas))
    healthy = density(anatomy, lungs, pose, rng) * _vignette(canvas, rng)
    opacity = np.zeros_like(lungs)
    if subtype != NORMAL:
        opacity = _OPACITIES[subtype](anatomy, lungs, pose, rng)

    # Fluid brightens a lung, and a brighter image would reveal the class: what the opacity adds is
    # taken from the whole of the lungs, so that their mean, and everything outside, stays the same.
    added = anatomy.air * opacity
    added -= lungs * (added.sum() / lungs.sum())
    chest = healthy + added
    contrast = rng.uniform(38, 54) / chest.std()
    exposed = resize(rng.uniform(100, 145) + contrast * (chest - chest.mean()), shape)
    exposed = exposed + rng.uniform(1.5, 5) * rng.standard_normal(shape, dtype=np.float32)
    film = Image.fromarray(np.clip(exposed, 0, 255).astype(np.uint8))
    _mark(film, rng)
    return Drawing(pixels=np.asarray(film), opacity=np.clip(resize(opacity, shape), 0, 1))


def _vignette(shape: tuple[int, int], rng: np.random.Generator) -> Pixels:
    """Returns how much of the beam reaches each pixel: less towards the corners."""
    v, u = (np.linspace(-1, 1, side, dtype=np.float32) for side in shape)
    middle = rng.uniform(-0.2, 0.2, 2).astype(np.float32)
    strength = np.float32(rng.uniform(0, 0.14))
    return 1 - strength * ((v[:, None] - middle[0]) ** 2 + (u[None] - middle[1]) ** 2)


def _mark(film: Image.Image, rng: np.random.Generator) -> None:
    """Leaves on ``film`` what technicians and scanners do: a side letter, a black edge."""
    pen = ImageDraw.Draw(film)
    width, height = film.size
    if rng.random() < 0.5:
        letter = _LETTERS[rng.integers(len(_LETTERS))]
        size = height * rng.uniform(0.035, 0.07)
        left = width * (
            rng.uniform(0.03, 0.1) if letter is _LETTERS[0] else rng.uniform(0.86, 0.93)
        )
        top = height * rng.uniform(0.04, 0.25)
        points = [(left + size * x, top + size * y) for x, y in letter]
        pen.line(points, fill=int(rng.integers(200, 256)), width=max(1, round(size / 6)))
    if rng.random() < 0.25:
        edge = height * rng.uniform(0.01, 0.04)
        sides = rng.random(4) < 0.5
        for side, box in zip(
            sides,
            (
                (0, 0, edge, height),
                (width - edge, 0, width, height),
                (0, 0, width, edge),
                (0, height - edge, width, height),
            ),
            strict=True,
        ):
            if side:
                pen.rectangle(box, fill=0)
