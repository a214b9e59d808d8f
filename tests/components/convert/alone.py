"""What the steps of Beam do, one after the other, on lists."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from components.convert import splits
from components.convert.inspection import Looks
from components.convert.joining import Joined, Pairs
from components.convert.layout_warnings import warning_marks
from components.convert.outcomes import NO_COPY, Outcome
from components.convert.screening import likeness, screening
from components.convert.screening.likeness import Majority, Moments, Reference, Spread
from components.convert.screening.screening import Marked, Verdict
from components.convert.tally import Mark, Tally, marks
from serving.images.hold_out import Group, held_out
from serving.images.patient_names import Patient
from tests.components.convert.folders import source
from tests.components.convert.former import Image


def tallied(outcomes: Iterable[Outcome]) -> Tally:
    """The tally of outcomes."""
    tally = Tally()
    for outcome in outcomes:
        tally += Tally([*marks(outcome), *warning_marks(outcome)])
    return tally


class Placement(NamedTuple):
    """Where an image goes, as `former.place` has it."""

    patient: str
    split: str | None
    quarantined: str | None = None


def outcomes_of(images: Sequence[Image]) -> list[Outcome]:
    """The same images as good outcomes, with numbers for what copies share."""
    content = [image.content for image in images]
    numbers = {each: number for number, each in enumerate(dict.fromkeys(content))}
    return [
        Outcome(
            source(image.filename, image.folder, image.label),
            index,
            Patient(image.patient, "the table") if image.patient else None,
            image.sha256,
            image.format,
            image.width,
            image.height,
            measures=image.measures,
            copies=numbers[image.content] if content.count(image.content) > 1 else NO_COPY,
        )
        for index, image in enumerate(images)
    ]


def placed(images: Iterable[Outcome], *, seed: int, hold_out: Group | None = None) -> list[Outcome]:
    """Places good images, as `placing` does."""
    copied, patients = defaultdict(list), defaultdict(list)
    for image in images:
        copied[image.copies].append(image)
    copied.pop(NO_COPY, None)
    compared = {key: splits.compare_copies(some) for key, some in copied.items()}
    pairs = Pairs()
    for each in compared.values():
        pairs += Pairs(each.pairs)
    joined = pairs.joined()
    conflicts = {key: each.conflict for key, each in compared.items() if each.conflict}
    for image in images:
        image = splits.without_conflict(image, conflicts)
        patients[splits.joined_patient(image, joined)].append(image)
    named = [splits.of_one_patient(some) for some in patients.values()]
    held: frozenset[str] = frozenset()
    if hold_out:
        free = {
            str(some[0].patient): good
            for some, in_test in named
            if not in_test and (good := [image for image in some if image.is_valid])
        }
        held = held_out(free, hold_out, seed=seed)
    any_in_test = any(in_test for _, in_test in named)
    found = [
        splits.place(
            image,
            in_test=in_test,
            held=held,
            hold_out=hold_out is not None,
            test_is_given=bool(any_in_test or held),
            seed=seed,
        )
        for some, in_test in named
        for image in some
    ]
    return sorted(found, key=lambda image: image.index)


def place(images: Sequence[Image], *, seed: int, hold_out: Group | None = None) -> list[Placement]:
    """Places images; takes and returns what `former.place` does."""
    return [
        Placement(str(each.patient), each.split, each.quarantined)
        for each in placed(outcomes_of(images), seed=seed, hold_out=hold_out)
    ]


Common = tuple[Majority, Reference, Spread]


def in_common(parts: Sequence[np.ndarray]) -> Common:
    """What most images of several parts [N, 32, 32] have in common."""
    direction = likeness.first_direction(sum(map(Moments.of, parts), Moments.nothing()))
    correlation = sum(
        (likeness.histogram(likeness.correlations(part, direction)) for part in parts),
        likeness.no_histogram(),
    )
    majority = likeness.majority(direction, correlation)
    core = sum((likeness.core_of(part, majority) for part in parts), Moments.nothing())
    reference = likeness.reference(core)
    residual = sum(
        (likeness.histogram(likeness.residuals(part, reference)) for part in parts),
        likeness.no_histogram(),
    )
    return majority, reference, likeness.spread(residual)


def compare(thumbnails: np.ndarray) -> likeness.Likeness:
    """Compares images with each other; takes and returns what `former.compare` does."""
    parts = [part for part in np.array_split(thumbnails, 3) if len(part)]
    return likeness.compare(thumbnails, *in_common(parts))


def screen(images: Sequence[Outcome], parts: Sequence[Looks]) -> tuple[list[Outcome], Tally]:
    """Screens images, as `screening.Screen` does; returns them and the tally of the good ones."""
    common = in_common([part.thumbnails for part in parts])
    marked = sum((screening.mark(part, *common) for part in parts), Marked.nothing())
    verdict = screening.decide(marked)
    copied = joined_copies(parts, verdict)
    screened = [
        screening.apply(image, verdict, copied, {}) if image.is_valid else image for image in images
    ]
    tally = Tally(Mark(("good", image.label)) for image in screened if image.is_valid)
    return screened, tally


def joined_copies(parts: Sequence[Looks], verdict: Verdict) -> Joined:
    """Joins the images that are copies of one another."""
    kept = [screening._without(part, verdict) for part in parts]
    dealt, picked = defaultdict(list), defaultdict(list)
    for part in kept:
        for segment, some in screening._dealt(part):
            dealt[segment].append(some)
    candidates, pairs = Pairs(), Pairs()
    for segment, some in dealt.items():
        for each in screening._candidates(segment, some):
            candidates += each
    joined = candidates.joined()
    for part in kept:
        for key, look in screening._picked(part, joined):
            picked[key].append(look)
    for key, looks in picked.items():
        pairs += screening._copies(key, looks)
    return pairs.joined()
