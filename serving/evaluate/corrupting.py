"""Predicting images that are corrupted on purpose."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import numpy as np

from serving.analysis.compute import corruption
from serving.analysis.corruptions import KINDS, STRENGTHS, corrupt, reduce
from serving.analysis.findings import Corruption
from serving.evaluate.pixels import as_png, grey
from serving.predict.files import Predictor
from serving.progress import Progress
from transform_module.contract import SERVING_BATCH_SIZES

SAMPLE: Final = 200
"""The most images that are corrupted, half of each class: 31 predictions for each of them."""

_BATCH = SERVING_BATCH_SIZES[-1]


def predict_corrupted(
    predictor: Predictor,
    images: Iterable[tuple[str, bool, bytes]],
    threshold: float,
    *,
    progress: Progress | None = None,
) -> list[Corruption]:
    """Corrupts images in every way and strength, and predicts them.

    Args:
        predictor: the model.
        images: name, whether it is PNEUMONIA, and content of each.
        threshold: its operating threshold.
        progress: gets the predictions made and their total.
    """
    kept = list(_reduced(images))
    if not kept:
        return []
    label = np.array([is_ill for is_ill, _, _ in kept])
    done, total = 0, len(kept) * (1 + len(KINDS) * len(STRENGTHS))

    def probabilities_of(kind: str = "", strength: int = 0) -> np.ndarray:
        nonlocal done
        probabilities: list[float] = []
        for start in range(0, len(kept), _BATCH):
            corrupted = [
                as_png(corrupt(pixels, kind, strength, seed=seed) if kind else pixels)
                for _, seed, pixels in kept[start : start + _BATCH]
            ]
            probabilities += [prediction.probability for prediction in predictor(corrupted)]
            done += len(corrupted)
            if progress:
                progress(done, total)
        return np.array(probabilities)

    # The same way through reducing and encoding as the corrupted ones.
    intact = probabilities_of()
    return [
        corruption(kind, strength, label, probabilities_of(kind, strength), intact, threshold)
        for kind in KINDS
        for strength in STRENGTHS
    ]


def _reduced(
    images: Iterable[tuple[str, bool, bytes]],
) -> Iterator[tuple[bool, int, np.ndarray]]:
    """Label, seed and pixels; no more than one image is held as large as it is."""
    for name, is_ill, content in images:
        pixels = grey(content)
        if pixels is not None:
            yield is_ill, _seed(name), reduce(pixels)


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
