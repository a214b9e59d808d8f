"""Probes for shortcuts: does the probability follow what says nothing about lungs?

A network can learn the scanner, the crop or the compression in place of the disease (Zech et al.
2018, https://doi.org/10.1371/journal.pmed.1002683; Geirhos et al. 2020,
https://doi.org/10.1038/s42256-020-00257-z). A quantity that tells the classes apart on its own is a
temptation in the data; one that the probability follows within a class may have been given way to.
"""

import numpy as np

from components.analysis.bootstrap import Bootstrap
from components.analysis.figures import auc, found_and_alarms
from components.analysis.findings import Estimate, Probe
from components.analysis.groups import estimate
from components.analysis.judged import Judged


def probe(judged: Judged, bootstrap: Bootstrap) -> list[Probe]:
    """Probes each quantity.

    Args:
        judged: valid pictures; those that could not be measured are left out.
        bootstrap: draws the replicates.
    """
    known = judged.only(np.isfinite(judged.brightness))
    if not len(known):
        return []
    return [
        _probe(name, quantity, known, bootstrap) for name, quantity in quantities(known).items()
    ]


def quantities(judged: Judged) -> dict[str, np.ndarray]:
    """What is known of the pictures that says nothing about lungs, [N] by name."""
    return {
        "file size": judged.bytes,
        "width": judged.width,
        "height": judged.height,
        "aspect ratio": judged.width / judged.height,
        "border brightness": judged.border,
        "brightness": judged.brightness,
        "contrast": judged.contrast,
        "sharpness": judged.sharpness,
    }


def spearman(one: np.ndarray, other: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Spearman's correlation of weighted pictures: Pearson's, of their mean ranks.

    Args:
        one: [N].
        other: [N].
        weights: [R, N], none negative.

    Returns:
        [R]; not a number where one of both is the same everywhere.
    """
    total = weights.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        ranks = [_ranks(values, weights) for values in (one, other)]
        x, y = (each - (weights * each).sum(axis=1, keepdims=True) / total for each in ranks)
        products = (np.einsum("rn,rn,rn->r", weights, a, b) for a, b in ((x, y), (x, x), (y, y)))
        across, within_one, within_other = products
        return across / np.sqrt(within_one * within_other)


def _ranks(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean ranks, [R, N], but for a constant that no correlation sees."""
    order = np.argsort(values, kind="stable")
    new = np.diff(values[order], prepend=np.nan) != 0
    ties = np.add.reduceat(weights[:, order], np.flatnonzero(new), axis=1)
    middles = np.cumsum(ties, axis=1) - ties / 2
    ranks = np.empty_like(weights)
    ranks[:, order] = middles[:, np.cumsum(new) - 1]
    return ranks


def _probe(name: str, quantity: np.ndarray, judged: Judged, bootstrap: Bootstrap) -> Probe:
    if np.ptp(quantity) == 0:
        return Probe(name, None, Estimate(), Estimate())
    (alone,) = auc(*found_and_alarms(judged.label, quantity, np.ones((1, len(judged)))))
    return Probe(
        name,
        None if np.isnan(alone) else float(alone),
        within_normal=_within(quantity, judged, ~judged.label, bootstrap),
        within_pneumonia=_within(quantity, judged, judged.label, bootstrap),
    )


def _within(
    quantity: np.ndarray, judged: Judged, rows: np.ndarray, bootstrap: Bootstrap
) -> Estimate:
    if not rows.any():
        return Estimate()
    pair = quantity[rows], judged.probability[rows]
    replicates = [spearman(*pair, weights) for weights in bootstrap.weights(judged.patient[rows])]
    (value,) = spearman(*pair, np.ones((1, int(rows.sum()))))
    return estimate(float(value), np.concatenate(replicates))
