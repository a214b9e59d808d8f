"""Which split a picture goes to: by a hash of its patient, so that no patient is in two.

Pure: facts about the pictures in, placements out.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from components.images.hold_out import Group, held_out
from components.images.picture import Picture
from transform_module.features import EVAL, TEST, TRAIN

EVAL_SHARE: Final = 0.20
"""Share of the patients that go to eval where a test folder is given."""

EVAL_AND_TEST_SHARE: Final = 0.15
"""Share of the patients that go to eval, and to test, where no test folder is given."""

_IMAGE_PATIENT = "image-"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture goes.

    Attributes:
        patient: the id that its joined patients share.
        split: one of SPLITS; None where it goes to none.
        quarantined: why it is quarantined, or None. Without split and without reason it is
            dropped: its patient stands in the test folder, too or, with a group held out, at all.
    """

    patient: str
    split: str | None
    quarantined: str | None = None


def place(
    pictures: Sequence[Picture], *, seed: int, hold_out: Group | None = None
) -> list[Placement]:
    """Places pictures in train, eval and test.

    The test folder stays test. The other patients are placed by a hash of the seed and their id
    alone, so that a picture that is added moves no patient (but where it joins two by being a
    picture of both). Each class is split in about the same shares, since the hash knows no class.

    With a group held out, that is the test set, the test folder and its patients go nowhere, and
    the others are placed by their hash as beside a test folder.

    Args:
        pictures: all that decode.
        seed: another seed gives another split.
        hold_out: the group that becomes the test set.

    Returns:
        One placement a picture, in the same order.

    Raises:
        UserError: there is no such group, or nothing but it.
    """
    patients = _join(
        (picture.patient or f"{_IMAGE_PATIENT}{picture.sha256[:16]}", picture.content)
        for picture in pictures
    )
    conflicts = _conflicts(pictures)
    kept = [picture.content not in conflicts for picture in pictures]
    in_test = {
        patient
        for patient, picture, keep in zip(patients, pictures, kept, strict=True)
        if keep and picture.folder == TEST
    }
    held: frozenset[str] = frozenset()
    if hold_out:
        of_patient = defaultdict(list)
        for patient, picture, keep in zip(patients, pictures, kept, strict=True):
            if keep and patient not in in_test:
                of_patient[patient].append(picture)
        held = held_out(of_patient, hold_out, seed=seed)
    placements = []
    for patient, picture, keep in zip(patients, pictures, kept, strict=True):
        if not keep:
            reason = _conflict(picture, conflicts[picture.content])
            placements.append(Placement(patient, None, reason))
        elif patient in in_test:
            stays = picture.folder == TEST and not hold_out
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
    """Joins the patients that share a picture.

    Args:
        shown: patient and content, a pair for each picture.

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


def _conflicts(pictures: Sequence[Picture]) -> dict[str, list[Picture]]:
    """Finds the pictures that stand, or whose copies stand, under both classes, by content."""
    same = defaultdict(list)
    for picture in pictures:
        same[picture.content].append(picture)
    return {
        content: copies
        for content, copies in same.items()
        if len({picture.label for picture in copies}) > 1
    }


def _conflict(picture: Picture, copies: Iterable[Picture]) -> str:
    other = min(copy.filename for copy in copies if copy.label != picture.label)
    return f"same picture under both classes: as {picture.label} here, the other is {other}"
