import hashlib
from collections import defaultdict
from typing import NamedTuple

import numpy as np

from components.convert.inspection import Looks
from components.convert.outcomes import NO_COPY, Outcome
from components.convert.screening.appearance import perceptual_hash, thumbnail
from components.convert.screening.screening import findings as findings_of
from components.convert.splits import compare_copies
from components.convert.tally import EXAMPLES, Tally
from serving.images.dataset import Finding
from tests.components.convert.alone import screen, tallied
from tests.components.convert.folders import source
from tests.components.convert.screening.test_likeness import CHESTS
from tests.images import grey_pixels


class Screened(NamedTuple):
    """Outcomes of images, and the findings about them."""

    outcomes: list[Outcome]
    findings: tuple[Finding, ...]


def screened(images, labels=None, findings=(), unused_bits=()):
    """Screens images, which come in three parts."""
    labels = labels or ["NORMAL"] * len(images)
    small = [thumbnail(each) for each in images]
    outcomes = [
        Outcome(
            source(f"train/{label}/{index}.png", "train", label),
            index,
            sha256=hashlib.sha256(images[index].tobytes()).hexdigest(),
            findings=tuple((kind, 0.0) for kind in dict(findings).get(index, ())),
            unused_bits=dict(unused_bits).get(index, 0),
        )
        for index, label in enumerate(labels)
    ]
    hashes = [np.frombuffer(perceptual_hash(each), np.uint8) for each in small]
    parts = [
        Looks(
            np.array(part, np.int64),
            tuple(labels[index] for index in part),
            np.stack([hashes[index] for index in part]),
            np.stack([small[index] for index in part]),
        )
        for part in np.array_split(np.arange(len(images)), 3)
        if len(part)
    ]
    found, tally = screen(outcomes, parts)
    tally += tallied(found)
    copied = defaultdict(list)
    for image in found:
        if image.copies != NO_COPY:
            copied[image.copies].append(image)
    for some in copied.values():
        tally += Tally(compare_copies(some).marks)
    return Screened(found, findings_of(tally))


def kinds(screening):
    return {finding.kind: finding for finding in screening.findings}


def test_good_images_stay_as_they_are():
    found = screened([grey_pixels(64, 64, seed) for seed in range(5)])
    assert found.findings == ()
    assert all(each.is_valid and each.copies == NO_COPY for each in found.outcomes)


def test_no_image_at_all_is_not_a_failure():
    assert screened([]).findings == ()


def test_few_inverted_images_are_quarantined():
    images = [*CHESTS[:40], *(255 - CHESTS[40:43])]
    found = screened(images)
    assert [each.is_valid for each in found.outcomes] == [True] * 40 + [False] * 3
    assert found.outcomes[-1].quarantined.startswith("inverted: ")
    assert "inverted" not in kinds(found)


def test_a_class_that_is_inverted_is_said_and_stays():
    images = [*CHESTS[:30], *(255 - CHESTS[30:50])]
    found = screened(images, ["NORMAL"] * 30 + ["PNEUMONIA"] * 20)
    assert {each.quarantined for each in found.outcomes} == {None}
    finding = kinds(found)["inverted"]
    assert finding.images == 20
    assert finding.message.startswith("20 of 20 images of PNEUMONIA are inverted")
    assert all("PNEUMONIA" in example for example in finding.examples)


def test_few_images_are_never_quarantined_for_their_polarity():
    found = screened([*CHESTS[:4], 255 - CHESTS[4]])
    assert {each.quarantined for each in found.outcomes} == {None}
    assert kinds(found)["inverted"].images == 1


def test_what_is_unlike_is_named_the_farthest_first():
    noise = np.random.default_rng(1).integers(0, 256, (32, 32), dtype=np.uint8)
    found = screened([*CHESTS[:50], noise])
    assert {each.quarantined for each in found.outcomes} == {None}
    assert kinds(found)["unlike"].examples[0] == "train/NORMAL/50.png"
    assert len(kinds(found)["unlike"].examples) <= EXAMPLES


def test_copies_are_grouped_and_counted_without_those_of_the_same_bytes():
    first, second = grey_pixels(128, 128, 1), grey_pixels(128, 128, 2)
    found = screened([first, first, second, first[::2, ::2], second])
    shared = [each.copies for each in found.outcomes]
    assert shared[0] == shared[1] == shared[3]
    assert shared[2] == shared[4] != shared[0]
    finding = kinds(found)["copies"]
    assert finding.images == 2
    assert finding.examples == ("train/NORMAL/0.png", "train/NORMAL/3.png")


def test_what_was_corrected_is_counted():
    images = [grey_pixels(64, 64, seed) for seed in range(4)]
    corrected = {1: ["turned", "unused_bits"], 2: ["turned", "unused_bits"]}
    found = kinds(screened(images, findings=corrected, unused_bits={1: 4, 2: 8}))
    assert found["turned"].images == 2
    assert found["turned"].examples == ("train/NORMAL/1.png", "train/NORMAL/2.png")
    assert found["unused_bits"].message.startswith("2 PNGs use only 8 or 12 of their 16 bits.")


def test_images_of_hardly_any_contrast_are_named():
    found = screened([grey_pixels(64, 64, seed) for seed in range(3)], findings={2: ["faint"]})
    assert kinds(found)["faint"].examples == ("train/NORMAL/2.png",)
    assert kinds(found)["faint"].message.startswith("1 of 3 images have hardly any contrast")
