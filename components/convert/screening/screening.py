"""Good images that are wrong to train on, which shows only beside all the others. Pure.

What is certain is quarantined with its reason; what is doubtful becomes a finding, as does what was
corrected.
"""

import base64
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from components.convert.screening import copies, likeness
from components.convert.screening.appearance import HASH_BYTES
from serving.images.dataset import Finding
from serving.images.layout import SourceFile
from transform_module.contract import LABELS, THUMBNAIL_SIDE

EXAMPLES: Final = 5
"""A finding names at most so many images."""

MOST_OF_A_CLASS: Final = 0.5
"""Where more of a class are inverted, it is the class that differs: none are quarantined."""

FAINT: Final = 10.0
"""Thumbnails with a smaller standard deviation, in grey levels of 255, are doubtful.

Those of 5,232 X-rays of Kermany et al. 2018 and of 120 of adults have at least 13.8. Less have
exports whose window was wrong: 12 bits of which the 4 highest were kept, or an offset of 16 bits.
"""

_INVERTED = "inverted: its grey levels run against those of the other images"


@dataclass(frozen=True)
class Screening:
    """Result of the comparison of all images.

    Attributes:
        inspections: those that were given, with reasons where images are quarantined, and with
            ``copies``, which images that are copies of one another share.
        findings: what a reader of the dataset should know.
    """

    inspections: list[dict[str, Any]]
    findings: tuple[Finding, ...]


def screen(files: Sequence[SourceFile], inspections: Iterable[dict[str, Any]]) -> Screening:
    """Compares all good images of a folder with each other.

    Args:
        files: all files of the image folder.
        inspections: the results of reading those that could be read, with their index in files.

    Returns:
        See Screening.
    """
    found = {int(each["index"]): each for each in inspections}
    good = [
        index
        for index in sorted(found)
        if found[index]["reason"] is None and files[index].problem is None
    ]
    shape = (len(good), THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    thumbnails = _stacked(found[index]["thumbnail"] for index in good).reshape(shape)
    hashes = _stacked(found[index]["hash"] for index in good).reshape(len(good), HASH_BYTES)
    compared = likeness.compare(thumbnails)
    inverted, findings = _inverted(files, good, compared)
    for index in inverted:
        found[index] = {**found[index], "reason": _INVERTED}
    farthest_first = np.argsort(-compared.distance, kind="stable")
    unlike = [good[place] for place in farthest_first if compared.unlike[place]]
    kept = [place for place, index in enumerate(good) if index not in inverted]
    group = _groups(
        [found[good[place]]["sha256"] for place in kept], hashes[kept], thumbnails[kept]
    )
    for place in kept:
        index = good[place]
        found[index] = {**found[index], "copies": group[found[index]["sha256"]]}
    remaining = [good[place] for place in kept]
    findings += [
        *_turned(files, found, remaining),
        *_unused_bits(files, found, remaining),
        *_faint(files, remaining, thumbnails[kept]),
        *_unlike(files, unlike, len(remaining)),
        *_copies(files, found, remaining),
    ]
    return Screening(list(found.values()), tuple(findings))


def _stacked(encoded: Iterable[str]) -> np.ndarray:
    return np.frombuffer(b"".join(map(base64.b64decode, encoded)), np.uint8)


def _inverted(
    files: Sequence[SourceFile], good: Sequence[int], compared: likeness.Likeness
) -> tuple[set[int], list[Finding]]:
    """Returns the images to quarantine, and what is doubtful."""
    all_of = Counter(files[index].label for index in good)
    quarantined: set[int] = set()
    findings = []
    for label in LABELS:
        members = [
            index
            for index, inverted in zip(good, compared.inverted, strict=True)
            if inverted and files[index].label == label
        ]
        if not members:
            continue
        enough = len(good) >= likeness.LEAST_IMAGES
        if enough and len(members) <= MOST_OF_A_CLASS * all_of[label]:
            quarantined.update(members)
            continue
        findings.append(
            _finding(
                "inverted",
                files,
                members,
                f"{len(members):,} of {all_of[label]:,} images of {label} are inverted against "
                "most others, as exports of MONOCHROME1 are: a model would learn that, and "
                "nothing about lungs. Invert one side, and convert again.",
            )
        )
    return quarantined, findings


def _groups(sums: Sequence[str], hashes: np.ndarray, thumbnails: np.ndarray) -> dict[str, str]:
    """Maps the SHA-256 of each image to the least one of those that are copies of it."""
    first = {sha256: place for place, sha256 in reversed(list(enumerate(sums)))}
    ordered = sorted(first)
    places = [first[sha256] for sha256 in ordered]
    joined = copies.groups(hashes[places], thumbnails[places])
    return {sha256: ordered[joined[index]] for index, sha256 in enumerate(ordered)}


def _turned(
    files: Sequence[SourceFile], found: dict[int, dict[str, Any]], good: Sequence[int]
) -> list[Finding]:
    turned = [index for index in good if found[index]["orientation"] != 1]
    return _some(
        "turned",
        files,
        turned,
        f"{len(turned):,} images are stored turned or mirrored, as their EXIF data say. They are "
        "read upright, here and in serving.",
    )


def _unused_bits(
    files: Sequence[SourceFile], found: dict[int, dict[str, Any]], good: Sequence[int]
) -> list[Finding]:
    unused = [index for index in good if found[index]["unused_bits"]]
    bits = sorted({16 - found[index]["unused_bits"] for index in unused})
    return _some(
        "unused_bits",
        files,
        unused,
        f"{len(unused):,} PNGs use only {' or '.join(map(str, bits))} of their 16 bits. They are "
        "read by the bits that they use, here and in serving.",
    )


def _faint(
    files: Sequence[SourceFile], good: Sequence[int], thumbnails: np.ndarray
) -> list[Finding]:
    deviations = thumbnails.reshape(len(good), -1).std(axis=1) if good else np.zeros(0)
    faint = [index for index, deviation in zip(good, deviations, strict=True) if deviation < FAINT]
    return _some(
        "faint",
        files,
        faint,
        f"{len(faint):,} of {len(good):,} images have hardly any contrast: look whether they were "
        "exported with the window of their detector.",
    )


def _unlike(files: Sequence[SourceFile], unlike: Sequence[int], number: int) -> list[Finding]:
    return _some(
        "unlike",
        files,
        unlike,
        f"{len(unlike):,} of {number:,} images are unlike the others: look whether they are "
        "frontal chest X-rays, upright, and neither masks nor photographs.",
    )


def _copies(
    files: Sequence[SourceFile], found: dict[int, dict[str, Any]], good: Sequence[int]
) -> list[Finding]:
    # Byte-equal copies were always kept together, and are not a finding.
    members: dict[str, dict[str, int]] = {}
    for index in good:
        group = members.setdefault(found[index]["copies"], {})
        group.setdefault(found[index]["sha256"], index)
    again = [
        index
        for group in members.values()
        if len(group) > 1
        for index in sorted(group.values(), key=lambda each: files[each].filename)
    ]
    originals = sum(len(group) > 1 for group in members.values())
    return _some(
        "copies",
        files,
        again,
        f"{len(again):,} images are copies of one another, encoded or resized anew: they show "
        f"{originals:,}. Copies are kept in one split; those of images in the folder test are "
        "dropped from the others.",
    )


def _some(
    kind: str, files: Sequence[SourceFile], images: Sequence[int], message: str
) -> list[Finding]:
    return [_finding(kind, files, images, message)] if images else []


def _finding(
    kind: str, files: Sequence[SourceFile], images: Sequence[int], message: str
) -> Finding:
    examples = tuple(files[index].filename for index in images[:EXAMPLES])
    return Finding(kind=kind, images=len(images), message=message, examples=examples)
