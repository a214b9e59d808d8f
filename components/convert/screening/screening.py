"""Good images that are wrong to train on, which shows only beside all the others. Steps of Beam.

What is certain is quarantined with its reason; what is doubtful becomes a finding, as does what was
corrected. All images are compared with few figures about all, and never with each other but for
copies; see `likeness` and `copies`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import apache_beam as beam
import numpy as np
from apache_beam.pvalue import AsSingleton, PCollection

from components.convert.inspection import Looks
from components.convert.joining import Joined, Pairs
from components.convert.outcomes import NO_COPY, Outcome
from components.convert.screening import copies, likeness, typical
from components.convert.screening.likeness import Majority, Moments, Reference, Spread
from components.convert.tally import Tally
from serving.beam.sum import Sum
from serving.images.dataset import Finding
from transform_module.contract import LABELS

MOST_OF_A_CLASS: Final = 0.5
"""Where more of a class are inverted, it is the class that differs: none are quarantined."""

_INVERTED = "inverted: its grey levels run against those of the other images"


@dataclass(frozen=True)
class Marked:
    """Images that differ from the others.

    Attributes:
        all_of: number of images by class, of which these are some.
        index: [N] int64, see `Outcome.index`.
        labels: [N] int: indices of LABELS.
        inverted: [N] bool.
        distance: [N] float64: how far an image that is unlike is, 0 for others.
    """

    all_of: Counter[str]
    index: np.ndarray
    labels: np.ndarray
    inverted: np.ndarray
    distance: np.ndarray

    @classmethod
    def nothing(cls) -> "Marked":
        """Returns those of no image."""
        empty = np.zeros(0, np.int64)
        return cls(Counter(), empty, empty, np.zeros(0, bool), np.zeros(0))

    def __add__(self, other: "Marked") -> "Marked":
        return Marked(
            self.all_of + other.all_of,
            np.concatenate([self.index, other.index]),
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.inverted, other.inverted]),
            np.concatenate([self.distance, other.distance]),
        )


@dataclass(frozen=True)
class Verdict:
    """What follows from the comparison.

    Attributes:
        quarantined: [N] int64, ascending: indices of inverted images.
        doubtful: the finding and its order, by index of the image.
    """

    quarantined: np.ndarray
    doubtful: Mapping[int, tuple[str, float]] = field(default_factory=dict)


def mark(looks: Looks, majority: Majority, reference: Reference, spread: Spread) -> Marked:
    """Compares some images with most of all."""
    found = likeness.compare(looks.thumbnails, majority, reference, spread)
    marked = found.inverted | found.unlike
    labels = np.array([LABELS.index(label) for label in looks.labels])
    return Marked(
        Counter(looks.labels),
        looks.index[marked],
        labels[marked],
        found.inverted[marked],
        np.where(found.unlike, found.distance, 0.0)[marked],
    )


def decide(marked: Marked) -> Verdict:
    """Decides which inverted images are quarantined, and what is doubtful."""
    quarantined = [np.zeros(0, np.int64)]
    doubtful: dict[int, tuple[str, float]] = {}
    enough = marked.all_of.total() >= likeness.LEAST_IMAGES
    for number, label in enumerate(LABELS):
        members = marked.index[marked.inverted & (marked.labels == number)]
        if enough and len(members) <= MOST_OF_A_CLASS * marked.all_of[label]:
            quarantined.append(members)
        else:
            doubtful |= dict.fromkeys(members.tolist(), ("inverted", 0.0))
    unlike = ~marked.inverted
    for index, distance in zip(
        marked.index[unlike].tolist(), marked.distance[unlike].tolist(), strict=True
    ):
        doubtful[index] = ("unlike", -distance)
    return Verdict(np.sort(np.concatenate(quarantined)), doubtful)


def apply(image: Outcome, verdict: Verdict, joined: Joined, examples: typical.Examples) -> Outcome:
    """Says of a good image what the comparison found."""
    place = int(np.searchsorted(verdict.quarantined, image.index))
    if verdict.quarantined[place : place + 1].tolist() == [image.index]:
        return replace(image, quarantined=_INVERTED, findings=())
    doubtful = verdict.doubtful.get(image.index)
    return replace(
        image,
        findings=image.findings + ((doubtful,) if doubtful else ()),
        copies=joined.of(image.index, NO_COPY),
        example=examples.get(image.index),
    )


def findings(tally: Tally) -> tuple[Finding, ...]:
    """Returns what a reader of the dataset should know of its images."""
    all_of = {label: tally["good", label].number for label in LABELS}
    bits = " or ".join(str(bits) for (bits,) in tally.of("bits"))
    found = [
        _finding(
            "inverted",
            tally,
            ("inverted", label),
            "{0} of {1} images of {2} are inverted against most others, as exports of MONOCHROME1 "
            "are: a model would learn that, and nothing about lungs. Invert one side, and convert "
            "again.",
            f"{all_of[label]:,}",
            label,
        )
        for label in LABELS
    ]
    sentences = {
        "turned": "{0} images are stored turned or mirrored, as their EXIF data say. They are read "
        "upright, here and in serving.",
        "unused_bits": "{0} PNGs use only {1} of their 16 bits. They are read by the bits that "
        "they use, here and in serving.",
        "faint": "{0} of {2} images have hardly any contrast: look whether they were exported with "
        "the window of their detector.",
        "burned_in": "{0} DICOM files say that texts are burned into their pixels: look whether "
        "they show names, which no model or report should.",
        "unlike": "{0} of {2} images are unlike the others: look whether they are frontal chest "
        "X-rays, upright, and neither masks nor photographs.",
        "copies": "{0} images are copies of one another, encoded or resized anew: they show {3}. "
        "Copies are kept in one split; those of images in the folder test are dropped from the "
        "others.",
    }
    originals = f"{tally['originals',].number:,}"
    found += [
        _finding(
            kind, tally, ("finding", kind), sentence, bits, f"{sum(all_of.values()):,}", originals
        )
        for kind, sentence in sentences.items()
    ]
    return tuple(finding for finding in found if finding.images)


def _finding(
    kind: str, tally: Tally, key: tuple[str, ...], sentence: str, *figures: str
) -> Finding:
    count = tally[key]
    message = sentence.format(f"{count.number:,}", *figures)
    return Finding(kind=kind, images=count.number, message=message, examples=count.shown)


class Screen(beam.PTransform):
    """Compares all good images of a folder with each other.

    It takes `Looks`, and returns three side inputs: a `Verdict`, with the images that are copies of
    one another `Joined`, and the typical and the odd ones, see `typical.Examples`.
    """

    # Beam warns of any other annotation.
    def expand(self, looks: PCollection) -> Any:
        """Adds the steps."""
        direction = (
            looks
            | "Sum up all" >> beam.Map(lambda some: Moments.of(some.thumbnails))
            | "All" >> beam.CombineGlobally(Sum(Moments.nothing)).without_defaults()
            | "Direction" >> beam.Map(likeness.first_direction)
        )
        majority = (
            looks
            | "Correlate" >> beam.Map(_correlated, AsSingleton(direction))
            | "Correlations" >> beam.CombineGlobally(Sum(likeness.no_histogram)).without_defaults()
            | "Majority" >> beam.Map(_majority, AsSingleton(direction))
        )
        reference = (
            looks
            | "Sum up most" >> beam.Map(_core, AsSingleton(majority))
            | "Most" >> beam.CombineGlobally(Sum(Moments.nothing)).without_defaults()
            | "Reference" >> beam.Map(likeness.reference)
        )
        spread = (
            looks
            | "Residuals" >> beam.Map(_residuals, AsSingleton(reference))
            | "All residuals" >> beam.CombineGlobally(Sum(likeness.no_histogram)).without_defaults()
            | "Spread" >> beam.Map(likeness.spread)
        )
        verdict = (
            looks
            | "Mark"
            >> beam.Map(mark, AsSingleton(majority), AsSingleton(reference), AsSingleton(spread))
            | "Marked" >> beam.CombineGlobally(Sum(Marked.nothing)).without_defaults()
            | "Decide" >> beam.Map(decide)
        )
        kept = looks | "Keep" >> beam.Map(_without, AsSingleton(verdict))
        candidates = (
            kept
            | "Deal hashes" >> beam.FlatMap(_dealt)
            | "By segment" >> beam.GroupByKey()
            | "Candidates" >> beam.FlatMapTuple(_candidates)
            | "All candidates" >> beam.CombineGlobally(Sum(Pairs)).without_defaults()
            | "Join candidates" >> beam.Map(Pairs.joined)
        )
        copied = (
            kept
            | "Pick" >> beam.FlatMap(_picked, AsSingleton(candidates, Joined.nothing()))
            | "By candidates" >> beam.GroupByKey()
            | "Copies" >> beam.MapTuple(_copies)
            | "All copies" >> beam.CombineGlobally(Sum(Pairs)).without_defaults()
            | "Join copies" >> beam.Map(Pairs.joined)
        )
        centres = (
            kept
            | "Sum up classes" >> beam.Map(typical.Centres.of)
            | "Classes" >> beam.CombineGlobally(Sum(typical.Centres.nothing)).without_defaults()
        )
        examples = (
            kept
            | "Ends" >> beam.Map(typical.ends, AsSingleton(centres))
            | "All ends" >> beam.CombineGlobally(Sum(Tally)).without_defaults()
            | "Examples" >> beam.Map(typical.examples)
        )
        nobody = Verdict(np.zeros(0, np.int64))
        return (
            AsSingleton(verdict, nobody),
            AsSingleton(copied, Joined.nothing()),
            AsSingleton(examples, {}),
        )


def _correlated(looks: Looks, direction: np.ndarray) -> np.ndarray:
    return likeness.histogram(likeness.correlations(looks.thumbnails, direction))


def _majority(correlation: np.ndarray, direction: np.ndarray) -> Majority:
    return likeness.majority(direction, correlation)


def _core(looks: Looks, majority: Majority) -> Moments:
    return likeness.core_of(looks.thumbnails, majority)


def _residuals(looks: Looks, reference: Reference) -> np.ndarray:
    return likeness.histogram(likeness.residuals(looks.thumbnails, reference))


def _without(looks: Looks, verdict: Verdict) -> Looks:
    return looks.where(~np.isin(looks.index, verdict.quarantined))


def _dealt(looks: Looks) -> Iterator[tuple[int, tuple[np.ndarray, np.ndarray]]]:
    return ((segment, (looks.index, looks.hashes)) for segment in range(copies.SEGMENTS))


def _candidates(segment: int, dealt: Iterable[tuple[np.ndarray, np.ndarray]]) -> Iterator[Pairs]:
    index, hashes = map(np.concatenate, zip(*dealt, strict=True))
    for places in copies.candidates(hashes, segment):
        if len(places):
            yield Pairs(index[places])


_Look = tuple[int, np.ndarray, np.ndarray]


def _picked(looks: Looks, candidates: Joined) -> Iterator[tuple[int, _Look]]:
    for place in np.flatnonzero(candidates.among(looks.index)):
        index = int(looks.index[place])
        yield candidates.of(index, index), (index, looks.hashes[place], looks.thumbnails[place])


def _copies(_: int, picked: Iterable[_Look]) -> Pairs:
    index, hashes, thumbnails = zip(*sorted(picked, key=lambda look: look[0]), strict=True)
    first = copies.groups(np.stack(hashes), np.stack(thumbnails))
    pairs = np.stack([np.array(index, np.int64)[first], np.array(index, np.int64)], axis=1)
    return Pairs(pairs[pairs[:, 0] != pairs[:, 1]])
