"""How often a pushed model flags images that are none of its kind.

    python -m tests.benchmarks.out_of_domain MODEL --images FOLDER [--count 200] [--out FILE]

FOLDER holds chest X-rays that the model has not seen, of any nesting. Those are predicted as they
are, which shows the false alarms, and changed: inverted, upside down, turned. So are images of
other things: photographs and written digits that come with scikit-learn, and drawings. What lateral
X-rays would do is only approached, by half a frontal one drawn out to the whole width: one lung
field, and the spine at the edge.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from serving.analysis.wilson import wilson
from serving.evaluate.pixels import as_png, grey
from serving.model import Model, find_version
from serving.predict.files import Content, Predictor, batches, find, predict_batch, read
from transform_module.errors import UserError

SIDE = 224

Pixels = np.ndarray
"""An image: [H, W] uint8."""


@dataclass(frozen=True)
class Share:
    """How many images of a kind were flagged.

    Attributes:
        flagged: how many have ``in_domain`` false.
        images: of how many.
    """

    flagged: int
    images: int


def inverted(pixels: Pixels, _: np.random.Generator) -> Pixels:
    """Bones dark, air bright."""
    return 255 - pixels


def upside_down(pixels: Pixels, _: np.random.Generator) -> Pixels:
    """Mirrored from top to bottom."""
    return pixels[::-1]


def half_turn(pixels: Pixels, _: np.random.Generator) -> Pixels:
    """Turned by 180 degrees."""
    return pixels[::-1, ::-1]


def quarter_turn(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Turned by 90 degrees, to either side."""
    return np.rot90(pixels, generator.choice((1, 3)))


def lateral_like(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """One half, drawn out to the whole width."""
    height, width = pixels.shape
    half = np.split(pixels[:, : width // 2 * 2], 2, axis=1)[generator.integers(2)]
    return np.asarray(Image.fromarray(half).resize((width, height), Image.Resampling.BILINEAR))


CHANGES: Mapping[str, Callable[[Pixels, np.random.Generator], Pixels]] = {
    "inverted": inverted,
    "upside down": upside_down,
    "turned by 180 degrees": half_turn,
    "turned by 90 degrees": quarter_turn,
    "lateral-like": lateral_like,
}
"""What is made of a chest X-ray."""


def photograph(generator: np.random.Generator) -> Pixels:
    """A piece of one of scikit-learn's two photographs, a temple and a flower, in grey."""
    from sklearn.datasets import load_sample_images

    chosen = load_sample_images().images[generator.integers(2)]
    side = int(generator.integers(120, min(chosen.shape[:2])))
    top, left = (int(generator.integers(length - side + 1)) for length in chosen.shape[:2])
    piece = Image.fromarray(chosen[top : top + side, left : left + side])
    return np.asarray(piece.convert("L").resize((SIDE, SIDE)))


def digit(generator: np.random.Generator) -> Pixels:
    """One of scikit-learn's digits, written by hand, of 8 x 8 pixels."""
    from sklearn.datasets import load_digits

    digits = load_digits().images
    chosen = digits[generator.integers(len(digits))] * (255 / 16)
    return np.asarray(Image.fromarray(chosen.astype(np.uint8)).resize((SIDE, SIDE)))


def page(generator: np.random.Generator) -> Pixels:
    """Lines of letters, dark on bright."""
    drawn = Image.new("L", (SIDE, SIDE), 245)
    size = int(generator.integers(10, 28))
    letters = "".join(generator.choice(list("abcdefghiklmnorstu   "), SIDE))
    for line, top in enumerate(range(8, SIDE, round(1.4 * size))):
        ImageDraw.Draw(drawn).text(
            (8, top), letters[line * 7 :], fill=20, font=ImageFont.load_default(size)
        )
    return np.asarray(drawn)


def texture(generator: np.random.Generator) -> Pixels:
    """Noise of any grain, stripes, squares or a ramp."""
    down, across = np.mgrid[:SIDE, :SIDE]
    grain = int(generator.integers(2, 40))
    waves = (
        generator.standard_normal((SIDE, SIDE)),
        ndimage.gaussian_filter(generator.standard_normal((SIDE, SIDE)), grain / 4),
        np.sin((down * generator.random() + across * generator.random()) * 6 / grain),
        ((down // grain + across // grain) % 2).astype(np.float64),
        down * generator.random() + across * generator.random(),
    )
    chosen = waves[generator.integers(len(waves))]
    return (255 * (chosen - chosen.min()) / np.ptp(chosen)).astype(np.uint8)


def hand(generator: np.random.Generator) -> Pixels:
    """A hand as an X-ray shows it: fingers and a palm, brighter bones within."""
    drawn = Image.new("L", (SIDE, SIDE), 10)
    draw = ImageDraw.Draw(drawn)
    wrist = np.array([SIDE / 2 + generator.integers(-15, 15), SIDE * 0.85])
    scale = generator.uniform(0.8, 1.1)
    knuckles = []
    for angle in np.radians(np.array([-55, -22, -5, 10, 26]) + generator.normal(0, 3, 5)):
        knuckles.append((wrist + 80 * scale * np.array([np.sin(angle), -np.cos(angle)]), angle))
    for grey_level, width in ((90, 26), (190, 9)):
        for knuckle, angle in knuckles:
            tip = knuckle + 75 * scale * np.array([np.sin(angle), -np.cos(angle)])
            draw.line([tuple(wrist), tuple(knuckle)], fill=grey_level, width=round(1.3 * width))
            draw.line([tuple(knuckle), tuple(tip)], fill=grey_level, width=width)
            draw.circle(tuple(tip), width / 2, fill=grey_level)
    return ndimage.gaussian_filter(np.asarray(drawn), 1.5)


OTHERS: Mapping[str, Callable[[np.random.Generator], Pixels]] = {
    "photographs": photograph,
    "written digits": digit,
    "pages of letters": page,
    "textures": texture,
    "drawn hands": hand,
}
"""What is not a chest X-ray at all."""


def shares(
    predictor: Predictor, chests: Iterable[Content], count: int, seed: int
) -> dict[str, Share]:
    """Predicts images of every kind.

    Args:
        predictor: predicts a batch.
        chests: chest X-rays that it has not learnt from.
        count: how many images of each other thing.
        seed: of what is random about them.

    Returns:
        By kind, how many are flagged.
    """
    contents = list(chests)
    pixels = [
        decoded
        for _, content in contents
        if isinstance(content, bytes) and (decoded := grey(content)) is not None
    ]
    found = {"as they are": _share(predictor, contents)}
    for kind, change in CHANGES.items():
        generator = np.random.default_rng(seed)
        found[kind] = _share(predictor, (_made(kind, change(each, generator)) for each in pixels))
    for kind, make in OTHERS.items():
        generator = np.random.default_rng(seed)
        found[kind] = _share(predictor, (_made(kind, make(generator)) for _ in range(count)))
    return found


def table(found: Mapping[str, Share]) -> str:
    """Draws the shares as Markdown."""
    lines = ["| images | | flagged | 95 % interval by image |", "|---|---:|---:|---:|"]
    for kind, share in found.items():
        message = wilson(share.flagged, share.images)
        value, low, high = (f"{each:.1%}" if each is not None else "-" for each in astuple(message))
        lines.append(f"| {kind} | {share.images:,} | {value} | {low} to {high} |")
    return "\n".join(lines)


def _made(kind: str, pixels: Pixels) -> Content:
    return Path(kind), as_png(pixels)


def _share(predictor: Predictor, contents: Iterable[Content]) -> Share:
    predictions = [
        prediction for batch in batches(contents) for prediction in predict_batch(predictor, batch)
    ]
    in_domain = [prediction.in_domain for prediction in predictions if prediction.valid]
    return Share(in_domain.count(False), len(in_domain))


def main() -> None:
    """Predicts, prints."""
    parser = argparse.ArgumentParser(
        prog="tests.benchmarks.out_of_domain", description=__doc__.splitlines()[0]
    )
    parser.add_argument("model", type=Path, help="a version's folder, or a folder of versions")
    parser.add_argument("--images", type=Path, required=True, help="chest X-rays, not learnt from")
    parser.add_argument("--count", type=int, default=200, help="images of each other thing")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, help="gets the counts, as JSON")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        chests = [(file, read(file)) for file in find([options.images])]
        model = Model(find_version(options.model))
    except UserError as error:
        sys.exit(str(error))
    found = shares(model.predict, chests, options.count, options.seed)
    if options.out:
        counts = {kind: [share.flagged, share.images] for kind, share in found.items()}
        options.out.write_text(json.dumps(counts, indent=2) + "\n")
    print(table(found))


if __name__ == "__main__":
    main()
