"""Predicting images that are changed on purpose: corrupted, and as of another place."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Final

import numpy as np

from serving.analysis import compute
from serving.analysis.corruptions import KINDS, STRENGTHS, corrupt, reduce
from serving.analysis.findings import Corruption, Shift
from serving.evaluate.pixels import as_png, grey
from serving.predict.files import Predictor
from serving.progress import Progress
from transform_module.contract import SERVING_BATCH_SIZES
from transform_module.images.shifts import SHIFTS, shift

SAMPLE: Final = 200
"""The most images that are changed, half of each class: 73 predictions for each of them."""

_BATCH = SERVING_BATCH_SIZES[-1]


@dataclass(frozen=True)
class Changed:
    """The figures of a model on changed images.

    Attributes:
        corruptions: of every kind and strength.
        shifts: of every kind.
    """

    corruptions: list[Corruption] = field(default_factory=list)
    shifts: list[Shift] = field(default_factory=list)


@dataclass(frozen=True)
class _Image:
    label: bool
    seed: int
    pixels: np.ndarray


def predict_changed(
    predictor: Predictor,
    images: Iterable[tuple[str, bool, bytes]],
    threshold: float,
    *,
    progress: Progress | None = None,
) -> Changed:
    """Corrupts images in every way and strength, shifts them in every way, and predicts them.

    Args:
        predictor: the model.
        images: name, whether it is PNEUMONIA, and content of each.
        threshold: its operating threshold.
        progress: gets the predictions made and their total.
    """
    kept = list(_reduced(images))
    if not kept:
        return Changed()
    label = np.array([image.label for image in kept])
    done, total = 0, len(kept) * (1 + len(KINDS) * len(STRENGTHS) + len(SHIFTS))

    def probabilities_of(change: Callable[[_Image], np.ndarray]) -> np.ndarray:
        nonlocal done
        probabilities: list[float] = []
        for start in range(0, len(kept), _BATCH):
            contents = [as_png(change(image)) for image in kept[start : start + _BATCH]]
            probabilities += [prediction.probability for prediction in predictor(contents)]
            done += len(contents)
            if progress:
                progress(done, total)
        return np.array(probabilities)

    # The same way through reducing and encoding as the changed ones.
    intact = probabilities_of(lambda image: image.pixels)

    def corrupted(kind: str, strength: int) -> Corruption:
        found = probabilities_of(
            lambda image: corrupt(image.pixels, kind, strength, seed=image.seed)
        )
        figures = compute.shift(kind, label, found, intact, threshold)
        return Corruption(**asdict(figures), strength=strength)

    def shifted(kind: str) -> Shift:
        found = probabilities_of(
            lambda image: shift(image.pixels, kind, int(image.label), seed=image.seed)
        )
        return compute.shift(kind, label, found, intact, threshold)

    return Changed(
        [corrupted(kind, strength) for kind in KINDS for strength in STRENGTHS],
        [shifted(kind) for kind in SHIFTS],
    )


def _reduced(images: Iterable[tuple[str, bool, bytes]]) -> Iterator[_Image]:
    """Yields images; no more than one is held as large as it is."""
    for name, is_ill, content in images:
        pixels = grey(content)
        if pixels is not None:
            yield _Image(is_ill, _seed(name), reduce(pixels))


def choose(images: Mapping[str, bool], sample: int) -> dict[str, bool]:
    """Chooses images by a hash of their names, half of each class as far as there are so many.

    Args:
        images: by name, whether it is PNEUMONIA.
        sample: how many at most.

    Returns:
        The chosen ones, in their order.
    """
    normal, ill = (
        sorted((name for name, is_ill in images.items() if is_ill == label), key=_seed)
        for label in (False, True)
    )
    of_normal = min(len(normal), max(sample // 2, sample - len(ill)))
    chosen = {*normal[:of_normal], *ill[: sample - of_normal]}
    return {name: is_ill for name, is_ill in images.items() if name in chosen}


def _seed(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
