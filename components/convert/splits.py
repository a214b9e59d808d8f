"""Split of each image, by a hash of its patient, so that no patient is in two.

Pure: facts about the images in, placements out.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from serving.images.hold_out import Group, held_out
from serving.images.image import Image
from transform_module.contract import EVAL, TEST, TRAIN

EVAL_SHARE: Final = 0.20
"""Share of the patients that go to eval where a test folder is given."""

EVAL_AND_TEST_SHARE: Final = 0.15
"""Share of the patients that go to eval, and to test, where no test folder is given."""

_IMAGE_PATIENT = "image-"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an image goes.

    Attributes:
        patient: the id that its joined patients share.
        split: one of SPLITS; None where it goes to none.
        quarantined: why it is quarantined, or None. Without split and without reason it is
            dropped: its patient is in the test folder, too or, with a group held out, at all.
    """

    patient: str
    split: str | None
    quarantined: str | None = None


def place(images: Sequence[Image], *, seed: int, hold_out: Group | None = None) -> list[Placement]:
    """Places images in train, eval and test.

    The test folder stays test. The other patients are placed by a hash of the seed and their id
    alone, so that an image that is added moves no patient (but where it joins two by being an
    image of both). Each class is split in about the same shares, since the hash knows no class.

    With a group held out, that is the test set, the test folder and its patients go nowhere, and
    the others are placed by their hash as beside a test folder.

    Args:
        images: all that decode.
        seed: another seed gives another split.
        hold_out: the group that becomes the test set.

    Returns:
        One placement an image, in the same order.

    Raises:
        UserError: there is no such group, or nothing but it.
    """
    patients = _join(
        (image.patient or f"{_IMAGE_PATIENT}{image.sha256[:16]}", image.content) for image in images
    )
    conflicts = _conflicts(images)
    kept = [image.content not in conflicts for image in images]
    in_test = {
        patient
        for patient, image, keep in zip(patients, images, kept, strict=True)
        if keep and image.folder == TEST
    }
    held: frozenset[str] = frozenset()
    if hold_out:
        of_patient = defaultdict(list)
        for patient, image, keep in zip(patients, images, kept, strict=True):
            if keep and patient not in in_test:
                of_patient[patient].append(image)
        held = held_out(of_patient, hold_out, seed=seed)
    placements = []
    for patient, image, keep in zip(patients, images, kept, strict=True):
        if not keep:
            reason = _conflict(image, conflicts[image.content])
            placements.append(Placement(patient, None, reason))
        elif patient in in_test:
            stays = image.folder == TEST and not hold_out
            placements.append(Placement(patient, TEST if stays else None))
        elif patient in held:
            placements.append(Placement(patient, TEST))
        else:
            test_is_given = bool(in_test or held)
            placements.append(
                Placement(patient, _split_of(patient, seed, test_is_given=test_is_given))
            )
    return placements


def _split_of(patient: str, seed: int, *, test_is_given: bool) -> str:
    digest = hashlib.sha256(f"{seed}:{patient}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    if test_is_given:
        return EVAL if position < EVAL_SHARE else TRAIN
    if position < EVAL_AND_TEST_SHARE:
        return TEST
    return EVAL if position < 2 * EVAL_AND_TEST_SHARE else TRAIN


def _join(shown: Iterable[tuple[str, str]]) -> list[str]:
    """Joins the patients that share an image.

    Args:
        shown: patient and content, a pair for each image.

    Returns:
        For each pair the smallest id of the patients joined with its own, where ids that only
        stand for an image come after those that name a patient.
    """
    shown = list(shown)
    parent: dict[str, str] = {}

    def root(patient: str) -> str:
        while parent.setdefault(patient, patient) != patient:
            parent[patient] = parent[parent[patient]]
            patient = parent[patient]
        return patient

    first: dict[str, str] = {}
    for patient, content in shown:
        one, other = sorted(
            (root(patient), root(first.setdefault(content, patient))),
            key=lambda name: (name.startswith(_IMAGE_PATIENT), name),
        )
        parent[other] = one
    return [root(patient) for patient, _ in shown]


def _conflicts(images: Sequence[Image]) -> dict[str, list[Image]]:
    """Finds the images that are under both classes, themselves or by a copy, by content."""
    same = defaultdict(list)
    for image in images:
        same[image.content].append(image)
    return {
        content: copies
        for content, copies in same.items()
        if len({image.label for image in copies}) > 1
    }


def _conflict(image: Image, copies: Iterable[Image]) -> str:
    other = min(copy.filename for copy in copies if copy.label != image.label)
    return f"same image under both classes: as {image.label} here, the other is {other}"
