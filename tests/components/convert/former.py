"""The algorithms that hold all images in memory, as references for those that do not."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from components.convert.screening import likeness
from components.convert.screening.likeness import LEAST_IMAGES, Likeness
from serving.images.hold_out import Group, held_out
from transform_module.contract import EVAL, TEST, TRAIN


@dataclass(frozen=True, slots=True)
class Image:
    """What is known of an image that decodes.

    Attributes:
        filename: path relative to the image folder, as readable text.
        folder: ``train``, ``val``, ``test``, or ``""`` where there are only class folders.
        label: one of LABELS.
        subtype: ``normal``, ``bacteria``, ``virus`` or ``unknown``.
        patient: the patient's id, None if unknown.
        sha256: of its bytes, in hexadecimal digits.
        format: ``jpeg``, ``png``, ``bmp`` or ``gif``.
        width: in pixels.
        height: in pixels.
        measures: what its pixels look like, where a group is held out by it.
        copies: what it shares with the images that it is a copy of, encoded or resized anew; empty
            where that is not known.
    """

    filename: str
    folder: str
    label: str
    subtype: str
    patient: str | None
    sha256: str
    format: str
    width: int
    height: int
    measures: Mapping[str, float] = field(default_factory=dict)
    copies: str = ""

    @property
    def content(self) -> str:
        """What it shares with its copies, also with those of the same bytes."""
        return self.copies or self.sha256


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


def compare(thumbnails: np.ndarray) -> Likeness:
    """Compares the images of a dataset with each other.

    Args:
        thumbnails: [N, 32, 32] uint8, none of them blank.

    Returns:
        See Likeness. No image is inverted or unlike where the images have too little in common, or
        where they are fewer than LEAST_IMAGES and not nearly the same.
    """
    number = len(thumbnails)
    nothing = Likeness(np.zeros(number, bool), np.zeros(number, bool), np.zeros(number))
    if number < 2:
        return nothing
    described = likeness.vectors(thumbnails)
    direction = _first_direction(described)
    if (described @ direction < 0).sum() * 2 > number:
        direction = -direction
    correlation = described @ direction
    coherence = float(np.median(np.abs(correlation)))
    if coherence < (likeness._COHERENT if number >= LEAST_IMAGES else likeness._COHERENT_OF_FEW):
        return nothing
    inverted = correlation <= likeness._INVERTED
    if inverted.any():
        within = np.stack([likeness._without_margins(each) for each in thumbnails[inverted]])
        inverted[inverted] = likeness.vectors(within) @ direction <= likeness._INVERTED
    if number < LEAST_IMAGES:
        return Likeness(inverted, nothing.unlike, nothing.distance)
    distance = _distance(described, correlation)
    return Likeness(inverted, ~inverted & (distance > likeness._DEVIATIONS), distance)


def _first_direction(described: np.ndarray) -> np.ndarray:
    # The largest eigenvector of the products does not depend on the signs of the images: inverted
    # ones, were they half of all, only have the other sign along it.
    return np.linalg.eigh(described.T @ described)[1][:, -1]


def _distance(described: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    along = correlation > 0
    core = described[along & (correlation >= np.quantile(correlation[along], likeness._LEFT_OUT))]
    mean = core.mean(axis=0)
    kept = min(likeness._DIRECTIONS, len(core) // likeness._IMAGES_PER_DIRECTION)
    directions = np.linalg.eigh((core - mean).T @ (core - mean))[1][:, len(mean) - kept :]
    centred = described - mean
    rest = (centred**2).sum(axis=1) - ((centred @ directions) ** 2).sum(axis=1)
    residual = np.sqrt(np.maximum(rest, 0))
    middle = np.median(residual)
    deviation = np.median(np.abs(residual - middle))
    return (residual - middle) / max(float(deviation), 1e-6)


MOST_BITS: Final = 30
"""Candidates differ in at most so many of the 256 bits of their hashes."""

LEAST_CORRELATION: Final = 0.985
"""Copies' thumbnails correlate at least so much."""

_ROWS, _COLUMNS = 512, 4096


def groups(hashes: np.ndarray, thumbnails: np.ndarray) -> np.ndarray:
    """Joins the images that are copies of one another.

    All pairs of hashes are compared in blocks: 100,000 images take half a minute of CPU time.

    Args:
        hashes: [N, 32] uint8, see `appearance.perceptual_hash`.
        thumbnails: [N, side, side] uint8.

    Returns:
        [N] int: the index of the first image of its group, its own where it has no copy.
    """
    parent = np.arange(len(hashes))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for one, other in _pairs(hashes, thumbnails):
        first, second = sorted((root(one), root(other)))
        parent[second] = first
    return np.array([root(index) for index in range(len(parent))], dtype=int)


def distances(hashes: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """Compares all pairs of hashes.

    Args:
        hashes: [N, 32] uint8.
        most: pairs that differ in more bits are left out.

    Yields:
        [M, 3] int: both indices, ascending, and the number of bits.
    """
    words = np.ascontiguousarray(hashes).view(np.uint64)
    for top in range(0, len(words), _ROWS):
        rows = words[top : top + _ROWS]
        for left in range(top - top % _COLUMNS, len(words), _COLUMNS):
            columns = words[left : left + _COLUMNS]
            # Half of the bits rules out nearly all pairs; 128 of them fit into uint8.
            half = sum(
                np.bitwise_count(rows[:, np.newaxis, word] ^ columns[np.newaxis, :, word])
                for word in (0, 1)
            )
            one, other = np.nonzero(half <= most)
            later = one + top < other + left
            one, other = one[later], other[later]
            bits = np.bitwise_count(rows[one] ^ columns[other]).sum(axis=1, dtype=int)
            near = bits <= most
            yield np.stack([one[near] + top, other[near] + left, bits[near]], axis=1)


def _pairs(hashes: np.ndarray, thumbnails: np.ndarray) -> Iterator[tuple[int, int]]:
    for candidates in distances(hashes, MOST_BITS):
        for one, other, _ in candidates.tolist():
            if _correlation(thumbnails[one], thumbnails[other]) >= LEAST_CORRELATION:
                yield one, other


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    first, second = (each.astype(np.float64) - each.mean() for each in (one, other))
    norm = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / norm) if norm else 0.0
