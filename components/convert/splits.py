"""Split of each image, by a hash of its patient, so that no patient is in two. Pure.

The test folder stays test. The other patients are placed by a hash of the seed and their id alone,
so that an image that is added moves no patient (but where it joins two by being an image of both).
Each class is split in about the same shares, since the hash knows no class.

With a group held out, that is the test set, the test folder and its patients go nowhere, and the
others are placed by their hash as beside a test folder.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from components.convert.joining import Joined
from components.convert.outcomes import NO_COPY, Outcome
from components.convert.survey import leaks
from components.convert.tally import Mark
from serving.images.dicom.pseudonyms import UNKEYED
from transform_module.contract import EVAL, TEST, TRAIN

EVAL_SHARE: Final = 0.20
"""Share of the patients that go to eval where a test folder is given."""

EVAL_AND_TEST_SHARE: Final = 0.15
"""Share of the patients that go to eval, and to test, where no test folder is given."""

_IMAGE_PATIENT = "image-"
_UNNAMED_PATIENT = "patient-"

Conflicts = Mapping[int, Mapping[str, str]]
"""Of copies that are under both classes: for each class the first file of the other one."""


def patient_of(image: Outcome) -> str:
    """Returns the id of an image's patient: its own where nobody is known."""
    return image.owner.id if image.owner else f"{_IMAGE_PATIENT}{image.sha256[:16]}"


@dataclass(frozen=True)
class Copies:
    """What the images that are copies of one another share.

    Attributes:
        conflict: for each class the first file of the other one; empty where there is one class.
        pairs: [E, 2] int64: the patients that they join, by `number`.
        marks: of the finding, of images of the same bytes, and of folders that share an image.
    """

    conflict: Mapping[str, str]
    pairs: np.ndarray
    marks: list[Mark]


def compare_copies(images: Iterable[Outcome]) -> Copies:
    """Compares the images that are copies of one another.

    Args:
        images: all of them.
    """
    first: dict[str, str] = {}
    different: dict[str, Outcome] = {}
    patients = set()
    folders = Counter[str]()
    for image in images:
        folders[image.file.folder] += 1
        name = image.file.filename
        first[image.label] = min(first.get(image.label, name), name)
        known = different.setdefault(image.sha256, image)
        if image.index < known.index:
            different[image.sha256] = image
        patients.add(number(patient_of(image)))
    conflict = {
        label: min(name for other, name in first.items() if other != label)
        for label in first
        if len(first) > 1
    }
    least, *others = sorted(patients)
    pairs = np.array([(least, other) for other in others], np.int64).reshape(-1, 2)
    # Copies of the same bytes were always kept together, and are not a finding.
    marks = []
    if not conflict:
        marks += [Mark(("duplicates",), number=folders.total() - len(different))]
        marks += leaks.marks("copies", folders)
    if len(different) > 1:
        start = min(image.index for image in different.values())
        marks += [Mark(("originals",))] + [
            Mark(("finding", "copies"), (start, image.index), image.file.filename)
            for image in different.values()
        ]
    return Copies(conflict, pairs, marks)


def number(patient: str) -> int:
    """Returns a patient's number, by which patients are joined.

    Two with the same one, which is less likely than 1 in a million among 5 million patients, would
    be kept in one split.
    """
    digest = hashlib.sha256(patient.encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def without_conflict(image: Outcome, conflicts: Conflicts) -> Outcome:
    """Quarantines an image that is under both classes, itself or by a copy."""
    conflict = conflicts.get(image.copies) if image.copies != NO_COPY else None
    if not conflict:
        return image
    other = conflict[image.label]
    reason = f"same image under both classes: as {image.label} here, the other is {other}"
    return replace(image, quarantined=reason)


def joined_patient(image: Outcome, joined: Joined) -> int:
    """Returns the number that the images of patients that share an image have in common."""
    own = number(patient_of(image))
    return joined.of(own, own)


def of_one_patient(images: Iterable[Outcome]) -> tuple[list[Outcome], bool]:
    """Names the images of a patient, or of several that share one.

    Args:
        images: all of them, those in conflict too.

    Returns:
        The images in the order of their paths, with the least of the ids, where those that only
        stand for an image come after those that name a patient; and whether one of them is in the
        test folder.
    """
    ordered = sorted(images, key=lambda image: image.index)
    first = min(image.sha256 for image in ordered)
    patient = min(
        (
            # A name that differs with each run gives way to one by what the patient's images are.
            f"{_UNNAMED_PATIENT}{first[:16]}" if name.startswith(UNKEYED) else name
            for name in map(patient_of, ordered)
        ),
        key=lambda name: (name.startswith(_IMAGE_PATIENT), name),
    )
    counted = set()
    named = []
    for image in ordered:
        kind = (image.label, image.subtype, image.file.folder == TEST)
        stands = image.is_valid and kind not in counted
        if stands:
            counted.add(kind)
        named.append(replace(image, patient=patient, stands_for_patient=stands))
    return named, any(image.is_valid and image.file.folder == TEST for image in ordered)


def place(
    image: Outcome,
    *,
    in_test: bool,
    held: frozenset[str],
    hold_out: bool,
    test_is_given: bool,
    seed: int,
) -> Outcome:
    """Places an image in train, eval, test or nowhere.

    Args:
        image: with its joined patient.
        in_test: whether the patient has an image in the test folder.
        held: the patients that are held out.
        hold_out: whether a group is held out.
        test_is_given: whether any image is in the test folder, or held out.
        seed: another seed gives another split.
    """
    if not image.is_valid:
        return image
    patient = str(image.patient)
    if in_test:
        return replace(image, split=TEST) if image.file.folder == TEST and not hold_out else image
    if patient in held:
        return replace(image, split=TEST)
    return replace(image, split=_split_of(patient, seed, test_is_given=test_is_given))


def _split_of(patient: str, seed: int, *, test_is_given: bool) -> str:
    digest = hashlib.sha256(f"{seed}:{patient}".encode()).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    if test_is_given:
        return EVAL if position < EVAL_SHARE else TRAIN
    if position < EVAL_AND_TEST_SHARE:
        return TEST
    return EVAL if position < 2 * EVAL_AND_TEST_SHARE else TRAIN
