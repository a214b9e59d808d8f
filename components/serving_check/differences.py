"""Problems that the check before the push finds, as pure functions of the predictions."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from serving.analysis.predicted import PredictedImage
from serving.model import Prediction
from transform_module import contract

MAXIMUM_DIFFERENCE: Final = 1e-3
"""How far two probabilities of one image may be apart.

The order in which a batch is summed up depends on its size; measured on the real X-rays that moves
a probability by less than 1e-5.
"""


def against_evaluator(
    expected: Sequence[PredictedImage],
    predictions: Sequence[Prediction],
    threshold: float,
    how: str,
) -> Iterator[str]:
    """Compares the served predictions with the Evaluator's.

    Args:
        expected: the images with the Evaluator's predictions.
        predictions: the same images, by the server.
        threshold: the operating threshold that the model records.
        how: the way of the requests, for the message.

    Yields:
        A sentence for each kind of difference, with its first image and how many there are.
    """
    wrong: dict[str, list[str]] = {}
    for predicted, served in zip(expected, predictions, strict=True):
        for kind, sentence in _differences(predicted, served, threshold):
            wrong.setdefault(kind, []).append(f"image {predicted.sha256[:12]}: {sentence}")
    for sentences in wrong.values():
        yield f"{how}, {sentences[0]} (so for {len(sentences)} of {len(expected)} images)"


def _differences(
    predicted: PredictedImage, served: Prediction, threshold: float
) -> Iterator[tuple[str, str]]:
    if served.valid != predicted.valid:
        yield "valid", f"valid is {served.valid}, the Evaluator's {predicted.valid}"
        return
    if not math.isfinite(served.probability):
        yield "finite", f"the probability is {served.probability}, which is not a number"
        return
    if not abs(served.probability - predicted.probability) <= MAXIMUM_DIFFERENCE:
        yield (
            "probability",
            f"the probability is {served.probability:.4f}, the Evaluator's "
            f"{predicted.probability:.4f}",
        )
    normal, pneumonia = contract.LABELS
    right = pneumonia if served.probability >= threshold else normal
    if served.valid and served.label != right:
        yield (
            "label",
            f"the label is {served.label} where the probability {served.probability:.4f} and the "
            f"threshold {threshold:g} make it {right}",
        )
    if not _same_distance(served.domain_distance, predicted.domain_distance):
        yield (
            "domain",
            f"the distance from the training images is {served.domain_distance}, the Evaluator's "
            f"{predicted.domain_distance}",
        )


def _same_distance(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=MAXIMUM_DIFFERENCE)


def of_formats(predictions: Mapping[str, Prediction], lossless: Sequence[str]) -> Iterator[str]:
    """Checks that one image gets the same prediction in every format.

    Args:
        predictions: by format.
        lossless: the formats that keep every pixel, and so must agree.
    """
    for name, prediction in predictions.items():
        if not prediction.valid:
            yield f"{name}: a whole image is called invalid"
    found = {name: predictions[name].probability for name in lossless}
    lowest, highest = min(found, key=found.__getitem__), max(found, key=found.__getitem__)
    if found[highest] - found[lowest] > MAXIMUM_DIFFERENCE:
        yield (
            f"the same pixels have the probability {found[lowest]:.4f} as {lowest} and "
            f"{found[highest]:.4f} as {highest}"
        )


def of_neighbours(name: str, alone: Prediction, beside: Sequence[Prediction]) -> Iterator[str]:
    """Checks that a file does not change the predictions of the images in its batch.

    Args:
        name: what is wrong with the file.
        alone: the prediction of a good image in a batch of its own.
        beside: the predictions of the same image in a batch with the file.
    """
    for prediction in beside:
        if (prediction.valid, prediction.label) != (alone.valid, alone.label) or not (
            abs(prediction.probability - alone.probability) <= MAXIMUM_DIFFERENCE
        ):
            yield (
                f"beside a file that is not an image ({name}) a good image's prediction changes "
                f"from {alone.label} {alone.probability:.4f} "
                f"to {prediction.label} {prediction.probability:.4f}"
            )
            return


def of_broken(name: str, prediction: Prediction) -> Iterator[str]:
    """Checks that a file that is not an image is called invalid."""
    if prediction.valid:
        yield f"a file that is not an image ({name}) is called valid, with {prediction.label}"
