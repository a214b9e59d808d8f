"""Asking a model about pictures that are spoilt on purpose."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from components.analysis.compute import corruption
from components.analysis.corruptions import KINDS, STRENGTHS, corrupt, reduce
from components.analysis.findings import Corruption
from components.images.progress import Progress
from serving import predict
from serving.evaluate.labelled import Labelled
from serving.evaluate.pixels import as_png, grey
from serving.predict import Ask
from transform_module.features import LABELS, SERVING_BATCH_SIZES

SAMPLE: Final = 200
"""The most pictures that are spoilt, half of each class: 31 questions about each of them."""

_BATCH = SERVING_BATCH_SIZES[-1]


def judge_spoilt(
    ask: Ask,
    pictures: Sequence[Labelled],
    threshold: float,
    *,
    sample: int = SAMPLE,
    progress: Progress | None = None,
) -> list[Corruption]:
    """Spoils pictures in every way and strength, and asks about them.

    Args:
        ask: the model.
        pictures: valid ones.
        threshold: its operating threshold.
        sample: the most pictures that are taken, see `choose`.
        progress: gets the questions asked and their total.
    """
    kept = list(_reduced(choose(pictures, sample)))
    if not kept:
        return []
    label = np.array([is_ill for is_ill, _, _ in kept])
    done, total = 0, len(kept) * (1 + len(KINDS) * len(STRENGTHS))

    def answers(kind: str = "", strength: int = 0) -> np.ndarray:
        nonlocal done
        probabilities: list[float] = []
        for start in range(0, len(kept), _BATCH):
            spoilt = [
                as_png(corrupt(pixels, kind, strength, seed=seed) if kind else pixels)
                for _, seed, pixels in kept[start : start + _BATCH]
            ]
            probabilities += [answer.probability for answer in ask(spoilt)]
            done += len(spoilt)
            if progress:
                progress(done, total)
        return np.array(probabilities)

    # The same way through reducing and encoding as the spoilt ones.
    unspoilt = answers()
    return [
        corruption(kind, strength, label, answers(kind, strength), unspoilt, threshold)
        for kind in KINDS
        for strength in STRENGTHS
    ]


def _reduced(pictures: Sequence[Labelled]) -> Iterator[tuple[bool, int, np.ndarray]]:
    """Label, seed and pixels; no more than one picture is held as large as it is."""
    for picture in pictures:
        content = predict.read(picture.file)
        pixels = grey(content) if isinstance(content, bytes) else None
        if pixels is not None:
            yield picture.label == LABELS[1], _seed(picture), reduce(pixels)


def choose(pictures: Sequence[Labelled], sample: int) -> list[Labelled]:
    """Chooses pictures by a hash of their names, half of each class as far as there are so many.

    Args:
        pictures: of both classes.
        sample: how many at most.

    Returns:
        The chosen ones, in their order.
    """
    normal, ill = (
        sorted((each for each in pictures if each.label == label), key=_seed) for label in LABELS
    )
    of_normal = min(len(normal), max(sample // 2, sample - len(ill)))
    chosen = {each.name for each in (*normal[:of_normal], *ill[: sample - of_normal])}
    return [picture for picture in pictures if picture.name in chosen]


def _seed(picture: Labelled) -> int:
    return int.from_bytes(hashlib.sha256(picture.name.encode()).digest()[:8], "big")
