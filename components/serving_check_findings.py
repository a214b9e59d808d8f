"""What the check before the push finds wrong, as pure functions of the answers."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from components.evaluation_sample import JudgedPicture
from serving.model import Answer
from transform_module import features

MAXIMUM_DIFFERENCE: Final = 1e-3
"""How far two probabilities of one picture may be apart.

The order in which a batch is summed up depends on its size; measured on the real X-rays that moves
a probability by less than 1e-5.
"""


def against_evaluator(
    expected: Sequence[JudgedPicture], answers: Sequence[Answer], threshold: float, how: str
) -> Iterator[str]:
    """Compares the served answers with the Evaluator's.

    Args:
        expected: what the Evaluator's model said of the pictures.
        answers: what the server says of the same pictures.
        threshold: the operating threshold that the model records.
        how: the way the server was asked, for the message.

    Yields:
        A sentence for each kind of difference, with its first picture and how many there are.
    """
    wrong: dict[str, list[str]] = {}
    for judged, answer in zip(expected, answers, strict=True):
        for kind, sentence in _differences(judged, answer, threshold):
            wrong.setdefault(kind, []).append(f"picture {judged.sha256[:12]}: {sentence}")
    for sentences in wrong.values():
        yield f"{how}, {sentences[0]} (so for {len(sentences)} of {len(expected)} pictures)"


def _differences(
    judged: JudgedPicture, answer: Answer, threshold: float
) -> Iterator[tuple[str, str]]:
    if answer.valid != judged.valid:
        yield "valid", f"valid is {answer.valid}, the Evaluator's {judged.valid}"
        return
    if not math.isfinite(answer.probability):
        yield "finite", f"the probability is {answer.probability}, which is no number"
        return
    if not abs(answer.probability - judged.probability) <= MAXIMUM_DIFFERENCE:
        yield (
            "probability",
            f"the probability is {answer.probability:.4f}, the Evaluator's "
            f"{judged.probability:.4f}",
        )
    normal, pneumonia = features.LABELS
    right = pneumonia if answer.probability >= threshold else normal
    if answer.valid and answer.label != right:
        yield (
            "label",
            f"the label is {answer.label} where the probability {answer.probability:.4f} and the "
            f"threshold {threshold:g} make it {right}",
        )
    if not _same_distance(answer.domain_distance, judged.domain_distance):
        yield (
            "domain",
            f"the distance from the training pictures is {answer.domain_distance}, the Evaluator's "
            f"{judged.domain_distance}",
        )


def _same_distance(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=MAXIMUM_DIFFERENCE)


def of_formats(answers: Mapping[str, Answer], lossless: Sequence[str]) -> Iterator[str]:
    """Checks that one picture is judged alike in every format.

    Args:
        answers: by format.
        lossless: the formats that keep every pixel, and so must agree.
    """
    for name, answer in answers.items():
        if not answer.valid:
            yield f"{name}: a whole picture is called invalid"
    found = {name: answers[name].probability for name in lossless}
    lowest, highest = min(found, key=found.__getitem__), max(found, key=found.__getitem__)
    if found[highest] - found[lowest] > MAXIMUM_DIFFERENCE:
        yield (
            f"the same pixels have the probability {found[lowest]:.4f} as {lowest} and "
            f"{found[highest]:.4f} as {highest}"
        )


def of_neighbours(name: str, alone: Answer, beside: Sequence[Answer]) -> Iterator[str]:
    """Checks that a file does not touch the answers of the pictures in its batch.

    Args:
        name: what is wrong with the file.
        alone: the answer to a good picture in a batch of its own.
        beside: the answers to the same picture in a batch with the file.
    """
    for answer in beside:
        if (answer.valid, answer.label) != (alone.valid, alone.label) or not (
            abs(answer.probability - alone.probability) <= MAXIMUM_DIFFERENCE
        ):
            yield (
                f"beside a file that is no picture ({name}) a good picture's answer changes from "
                f"{alone.label} {alone.probability:.4f} to {answer.label} {answer.probability:.4f}"
            )
            return


def of_broken(name: str, answer: Answer) -> Iterator[str]:
    """Checks that a file that is no picture is called invalid."""
    if answer.valid:
        yield f"a file that is no picture ({name}) is called valid, with {answer.label}"
