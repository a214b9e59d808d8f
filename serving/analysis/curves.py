"""The curves of a binary classifier, with bands, and how far its probabilities can be believed."""

from collections.abc import Callable

import numpy as np

from serving.analysis.bootstrap import Bootstrap, interval
from serving.analysis.figures import BINS, bin_of, found_and_alarms
from serving.analysis.findings import Curve, ReliabilityBin
from serving.analysis.groups import share_of
from serving.analysis.predicted import Predicted

_AT = np.linspace(0.0, 1.0, 201)


def roc(predicted: Predicted, bootstrap: Bootstrap) -> Curve:
    """Draws sensitivity over 1 - specificity.

    Args:
        predicted: valid images of both classes.
        bootstrap: draws the replicates, whose curves make the band.
    """
    return _curve(predicted, bootstrap, _sensitivities)


def precision_recall(predicted: Predicted, bootstrap: Bootstrap) -> Curve:
    """Draws precision over sensitivity: steps, whose area is the average precision.

    Args:
        predicted: valid images of both classes.
        bootstrap: draws the replicates, whose curves make the band.
    """
    return _curve(predicted, bootstrap, _precisions)


def reliability(predicted: Predicted, bootstrap: Bootstrap) -> list[ReliabilityBin]:
    """Compares probabilities with what came true, in bins of equal width.

    Args:
        predicted: valid images.
        bootstrap: draws the replicates of the shares' intervals.
    """
    number = bin_of(predicted.probability)
    bins = []
    for index in range(BINS):
        here = number == index
        images = int(here.sum())
        bins.append(
            ReliabilityBin(
                low=index / BINS,
                high=(index + 1) / BINS,
                images=images,
                probability=float(predicted.probability[here].mean()) if images else None,
                share=share_of(predicted.label, here, predicted.patient, bootstrap),
            )
        )
    return bins


def _curve(
    predicted: Predicted,
    bootstrap: Bootstrap,
    heights: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> Curve:
    def drawn(weights: np.ndarray) -> np.ndarray:
        pair = found_and_alarms(predicted.label, predicted.probability, weights)
        return np.array([heights(*each) for each in zip(*pair, strict=True)])

    (itself,) = drawn(np.ones((1, len(predicted))))
    low, high = interval(np.concatenate([*map(drawn, bootstrap.weights(predicted.patient))]))
    columns = (_AT, itself, np.fmin(low, itself), np.fmax(high, itself))
    return Curve(*(column.tolist() for column in columns))


def _sensitivities(found: np.ndarray, alarms: np.ndarray) -> np.ndarray:
    """Heights of one ROC curve; not a number where a class is absent."""
    if not found[-1] or not alarms[-1]:
        return np.full_like(_AT, np.nan)
    # Where several points are above one another, np.interp takes the highest.
    return np.interp(_AT, alarms / alarms[-1], found / found[-1])


def _precisions(found: np.ndarray, alarms: np.ndarray) -> np.ndarray:
    """Heights of one precision-recall curve; not a number where a class is absent."""
    if not found[-1] or not alarms[-1]:
        return np.full_like(_AT, np.nan)
    flagged = found + alarms
    # The first threshold that finds as much; above the highest probability nothing is PNEUMONIA.
    first = np.maximum(np.searchsorted(found, _AT * found[-1] - 1e-9), np.argmax(flagged > 0))
    return found[first] / flagged[first]
