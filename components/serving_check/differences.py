"""Problems that the check before the push finds, as pure functions of the predictions."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from serving.analysis.predicted import PredictedImage
from serving.model import Answer
from transform_module import contract

MAXIMUM_DIFFERENCE: Final = 1e-3
"""How far two probabilities of one image may be apart.

The order in which a batch is summed up depends on its size; measured on the real X-rays that moves
a probability by less than 1e-5.
"""


def against_evaluator(
    expected: Sequence[PredictedImage], answers: Sequence[Answer], threshold: float, how: str
) -> Iterator[str]:
    """Compares the served answers with the Evaluator's.

    Args:
        expected: what the Evaluator's model said of the images.
        answers: what the server says of the same images.
        threshold: the operating threshold that the model records.
        how: the way the server was asked, for the message.

    Yields:
        A sentence for each kind of difference, with its first image and how many there are.
    """
    wrong: dict[str, list[str]] = {}
    for predicted, answer in zip(expected, answers, strict=True):
        for kind, sentence in _differences(predicted, answer, threshold):
            wrong.setdefault(kind, []).append(f"image {predicted.sha256[:12]}: {sentence}")
    for sentences in wrong.values():
        yield f"{how}, {sentences[0]} (so for {len(sentences)} of {len(expected)} images)"


def _differences(
    predicted: PredictedImage, answer: Answer, threshold: float
) -> Iterator[tuple[str, str]]:
    if answer.valid != predicted.valid:
        yield "valid", f"valid is {answer.valid}, the Evaluator's {predicted.valid}"
        return
    if not math.isfinite(answer.probability):
        yield "finite", f"the probability is {answer.probability}, which is no number"
        return
    if not abs(answer.probability - predicted.probability) <= MAXIMUM_DIFFERENCE:
        yield (
            "probability",
            f"the probability is {answer.probability:.4f}, the Evaluator's "
            f"{predicted.probability:.4f}",
        )
    normal, pneumonia = contract.LABELS
    right = pneumonia if answer.probability >= threshold else normal
    if answer.valid and answer.label != right:
        yield (
            "label",
            f"the label is {answer.label} where the probability {answer.probability:.4f} and the "
            f"threshold {threshold:g} make it {right}",
        )
    if not _same_distance(answer.domain_distance, predicted.domain_distance):
        yield (
            "domain",
            f"the distance from the training images is {answer.domain_distance}, the Evaluator's "
            f"{predicted.domain_distance}",
        )


def _same_distance(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=MAXIMUM_DIFFERENCE)


def of_formats(answers: Mapping[str, Answer], lossless: Sequence[str]) -> Iterator[str]:
    """Checks that one image gets the same prediction in every format.

    Args:
        answers: by format.
        lossless: the formats that keep every pixel, and so must agree.
    """
    for name, answer in answers.items():
        if not answer.valid:
            yield f"{name}: a whole image is called invalid"
    found = {name: answers[name].probability for name in lossless}
    lowest, highest = min(found, key=found.__getitem__), max(found, key=found.__getitem__)
    if found[highest] - found[lowest] > MAXIMUM_DIFFERENCE:
        yield (
            f"the same pixels have the probability {found[lowest]:.4f} as {lowest} and "
            f"{found[highest]:.4f} as {highest}"
        )


def of_neighbours(name: str, alone: Answer, beside: Sequence[Answer]) -> Iterator[str]:
    """Checks that a file does not touch the answers of the images in its batch.

    Args:
        name: what is wrong with the file.
        alone: the answer to a good image in a batch of its own.
        beside: the answers to the same image in a batch with the file.
    """
    for answer in beside:
        if (answer.valid, answer.label) != (alone.valid, alone.label) or not (
            abs(answer.probability - alone.probability) <= MAXIMUM_DIFFERENCE
        ):
            yield (
                f"beside a file that is not an image ({name}) a good image's prediction changes "
                f"from {alone.label} {alone.probability:.4f} "
                f"to {answer.label} {answer.probability:.4f}"
            )
            return


def of_broken(name: str, answer: Answer) -> Iterator[str]:
    """Checks that a file that is no image is called invalid."""
    if answer.valid:
        yield f"a file that is not an image ({name}) is called valid, with {answer.label}"
