"""Probes for shortcuts: does the probability follow what says nothing about lungs?

A network can learn the scanner, the crop or the compression in place of the disease (Zech et al.
2018, https://doi.org/10.1371/journal.pmed.1002683; Geirhos et al. 2020,
https://doi.org/10.1038/s42256-020-00257-z). A quantity that separates the classes on its own is a
temptation in the data; one that the probability follows within a class may have been given way to.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from serving.analysis.bootstrap import Bootstrap
from serving.analysis.figures import auc_of
from serving.analysis.findings import Estimate, Probe
from serving.analysis.groups import estimate
from serving.analysis.predicted import Predicted


class Quantities(NamedTuple):
    """What is measured of images, [N] each; see `Predicted`."""

    bytes: np.ndarray
    width: np.ndarray
    height: np.ndarray
    brightness: np.ndarray
    contrast: np.ndarray
    sharpness: np.ndarray
    border: np.ndarray


def probe(predicted: Predicted, bootstrap: Bootstrap) -> list[Probe]:
    """Probes each quantity.

    Args:
        predicted: valid images; those that could not be measured are left out.
        bootstrap: draws the replicates.
    """
    known = predicted.only(np.isfinite(predicted.brightness))
    if not len(known):
        return []
    of_all = quantities(known)
    within_normal = _within(of_all, known, ~known.label, bootstrap)
    within_pneumonia = _within(of_all, known, known.label, bootstrap)
    return [
        Probe(name, _alone(quantity, known.label), within_normal[name], within_pneumonia[name])
        for name, quantity in of_all.items()
    ]


def quantities(measured: Predicted | Quantities) -> dict[str, np.ndarray]:
    """What is known of the images that says nothing about lungs, [N] by name."""
    return {
        "file size": measured.bytes,
        "width": measured.width,
        "height": measured.height,
        "aspect ratio": measured.width / measured.height,
        "border brightness": measured.border,
        "brightness": measured.brightness,
        "contrast": measured.contrast,
        "sharpness": measured.sharpness,
    }


def spearman(
    quantities: Sequence[np.ndarray], probability: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Spearman's correlations of weighted images: Pearson's, of their mean ranks.

    Args:
        quantities: K of [N].
        probability: [N], that each is correlated with.
        weights: [R, N], none negative.

    Returns:
        [K, R]; not a number where one of both is the same everywhere.
    """
    total = weights.sum(axis=1, keepdims=True)

    def centred(values: np.ndarray) -> np.ndarray:
        ranks = _ranks(values, weights)
        return ranks - np.einsum("rn,rn->r", weights, ranks)[:, np.newaxis] / total

    def product(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.einsum("rn,rn,rn->r", weights, one, other)

    with np.errstate(invalid="ignore", divide="ignore"):
        own = centred(probability)
        spread = product(own, own)
        return np.array(
            [
                product(other, own) / np.sqrt(product(other, other) * spread)
                for other in map(centred, quantities)
            ]
        )


def _ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean ranks, [R, N], but for a constant that no correlation sees."""
    order = np.argsort(values, kind="stable")
    new = np.diff(values[order], prepend=np.nan) != 0
    ties = np.add.reduceat(weights[:, order], np.flatnonzero(new), axis=1)
    middles = np.cumsum(ties, axis=1) - ties / 2
    ranks = np.empty_like(weights)
    ranks[:, order] = middles[:, np.cumsum(new) - 1]
    return ranks


def _alone(quantity: np.ndarray, label: np.ndarray) -> float | None:
    """AUC of a quantity for the label; None where that is undefined or the quantity constant."""
    return None if np.ptp(quantity) == 0 else auc_of(label, quantity)


def _within(
    of_all: dict[str, np.ndarray], predicted: Predicted, rows: np.ndarray, bootstrap: Bootstrap
) -> dict[str, Estimate]:
    """Correlations with the probability among some images, by the quantity's name."""
    if not rows.any():
        return dict.fromkeys(of_all, Estimate())
    chosen = [quantity[rows] for quantity in of_all.values()], predicted.probability[rows]
    once = spearman(*chosen, np.ones((1, int(rows.sum()))))
    drawn = [spearman(*chosen, weights) for weights in bootstrap.weights(predicted.patient[rows])]
    replicates = np.concatenate(drawn, axis=1)
    return {
        name: estimate(float(once[index, 0]), replicates[index])
        for index, name in enumerate(of_all)
    }
