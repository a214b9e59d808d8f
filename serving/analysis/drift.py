"""Distance of images from those that a model was trained on."""

import math
from collections.abc import Mapping

import numpy as np

from serving.analysis.findings import Drift
from serving.analysis.predicted import Predicted
from transform_module.images.distribution import Distribution, shares
from transform_module.images.measures import MEASURES

_PROBABILITY = "probability"


def drift(trained: Mapping[str, Distribution], predicted: Predicted) -> list[Drift]:
    """Compares the distribution of each quantity, the most distant first.

    Args:
        trained: distributions that go with the model, by the quantity's name.
        predicted: the images.

    Returns:
        One entry a quantity that is known of both.
    """
    measured = predicted.only(predicted.valid & np.isfinite(predicted.brightness))
    if not len(measured):
        return []
    found = [
        _compare(name, trained[name], getattr(measured, name))
        for name in (*MEASURES, _PROBABILITY)
        if name in trained
    ]
    return sorted(found, key=lambda each: -each.distance)


def divergence(one: np.ndarray, other: np.ndarray) -> float:
    """Jensen-Shannon divergence of two sets of shares (Lin 1991, https://doi.org/10.1109/18.61115).

    Args:
        one: [K], of sum 1.
        other: [K], of sum 1.

    Returns:
        In bits, from 0, where they are equal, to 1, where they have nothing in common.
    """
    middle = (one + other) / 2

    def information(shares: np.ndarray) -> float:
        some = shares > 0
        return float((shares[some] * np.log2(shares[some] / middle[some])).sum())

    return min(1.0, max(0.0, (information(one) + information(other)) / 2))


def _compare(name: str, trained: Distribution, values: np.ndarray) -> Drift:
    return Drift(
        name=name,
        distance=divergence(np.array(trained.shares), np.array(shares(values, trained.edges))),
        trained=trained.mean,
        here=float(values.mean()),
        # Near equality the divergence is chi-squared over 8 N ln 2, with a degree of freedom less
        # than there are shares.
        chance=min(1.0, (len(trained.shares) - 1) / (8 * len(values) * math.log(2))),
    )
