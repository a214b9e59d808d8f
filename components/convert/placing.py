"""From a list of files to what becomes of each: tally, quarantine and shards. Steps of Beam."""

import itertools
import pickle
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import apache_beam as beam
from apache_beam.pvalue import AsDict, AsSingleton, PCollection, TaggedOutput

from components.convert import splits
from components.convert.inspection import LOOKS, Inspect
from components.convert.joining import Joined, Pairs
from components.convert.layout_warnings import warning_marks
from components.convert.outcomes import NO_COPY, Outcome
from components.convert.screening import typical
from components.convert.screening.screening import Screen, Verdict, apply
from components.convert.shards import Plan
from components.convert.survey import leaks
from components.convert.survey.measured import Sample, measured
from components.convert.survey.survey import survey_marks
from components.convert.tally import Mark, Tally, marks
from serving.beam.sum import Sum
from serving.images.dicom.selection import Selection
from serving.images.hold_out import Group, held_out
from transform_module.files import place
from transform_module.files.source_path import Source

TALLY: Final = "tally"
"""The file of the tally, beside the plan of the shards."""

SAMPLE: Final = "sample"
"""The file of the measurements; there is none where no image is in a split."""

QUARANTINED: Final = "quarantined"
"""The files that list what is quarantined begin so."""

Row = tuple[str, str | None, int, str]
"""A quarantined file: its name, why it is quarantined, its size in bytes and its SHA-256."""

_ROWS_IN_A_LIST = 10_000

_FILES_AT_ONCE = 128
_IN_TEST = "in test"
_LEAKS = "leaks"


@dataclass(eq=False)
class Place(beam.PTransform):
    """Reads files and decides where each goes.

    It takes parts of the list of files, see `jobs`; its results are files.

    Attributes:
        images: the image folder.
        results: the folder of the results.
        stage: whose listener gets the files that are inspected.
        shards: TFRecord files in each split.
        seed: seed of the split.
        hold_out: the group that becomes the test set.
        selection: which DICOM files are taken, and how their patients are named.
    """

    images: Source
    results: place.Place
    stage: str
    shards: int
    seed: int
    hold_out: Group | None
    selection: Selection

    def expand(self, parts: PCollection) -> None:
        """Adds the steps."""
        files = (
            parts
            | "Spread parts" >> beam.Reshuffle()
            | "Read parts" >> beam.FlatMap(_read_part)
            | "Spread files" >> beam.Reshuffle()
        )
        inspect = Inspect(self.images, self.stage, self.selection)
        inspected = (
            files
            | "To be read" >> beam.Filter(_to_be_read, True)
            | "Inspect" >> beam.ParDo(inspect).with_outputs(LOOKS, main="outcomes")
        )
        found = inspected[LOOKS] | "Screen" >> Screen()
        screened = inspected["outcomes"] | "Screened" >> beam.Map(_screened, *found)
        placed, extra = screened | "Place good" >> _PlaceGood(self.seed, self.hold_out)
        outcomes = (
            placed,
            screened | "Bad" >> beam.Filter(lambda image: not image.is_valid),
            files
            | "Not to be read" >> beam.Filter(_to_be_read, False)
            | "Each" >> beam.FlatMap(lambda batch: batch),
        ) | "Outcomes" >> beam.Flatten()
        good = screened | "Count good" >> beam.Map(_good)
        counted = outcomes | "Mark" >> beam.Map(_counted)
        _ = (
            (counted, extra, good)
            | "Marks" >> beam.Flatten()
            | "Tally" >> beam.CombineGlobally(Sum(Tally)).without_defaults()
            | "Keep tally" >> beam.Map(keep, self.results / TALLY)
        )
        _ = (
            placed
            | "Measured" >> beam.FlatMap(measured)
            | "Sample" >> beam.CombineGlobally(Sum(Sample)).without_defaults()
            | "Keep sample" >> beam.Map(keep, self.results / SAMPLE)
        )
        _ = (
            outcomes
            | "Quarantined" >> beam.Filter(lambda outcome: outcome.quarantined is not None)
            | "To lists" >> beam.Map(_listed)
            | "By list" >> beam.GroupByKey()
            | "Write lists" >> beam.Map(_keep_rows, self.results)
        )
        _ = outcomes | "Plan" >> Plan(self.results, self.shards)


@dataclass(eq=False)
class _PlaceGood(beam.PTransform):
    """Places the good images; returns these and those in conflict, and marks beside theirs."""

    seed: int
    hold_out: Group | None

    # Beam warns of any other annotation.
    def expand(self, screened: PCollection) -> Any:
        good = screened | "Good" >> beam.Filter(lambda image: image.is_valid)
        copies = (
            good
            | "Copied" >> beam.Filter(lambda image: image.copies != NO_COPY)
            | "Key copies" >> beam.WithKeys(lambda image: image.copies)
            | "By copies" >> beam.GroupByKey()
            | "Compare copies"
            >> beam.MapTuple(lambda key, some: (key, splits.compare_copies(some)))
        )
        conflicts = AsDict(
            copies
            | "Conflicts"
            >> beam.FlatMapTuple(
                lambda key, found: [(key, found.conflict)] if found.conflict else []
            )
        )
        joined = (
            copies
            | "Pairs" >> beam.MapTuple(lambda _, found: Pairs(found.pairs))
            | "All pairs" >> beam.CombineGlobally(Sum(Pairs)).without_defaults()
            | "Join patients" >> beam.Map(Pairs.joined)
        )
        named = (
            good
            | "Without conflicts" >> beam.Map(splits.without_conflict, conflicts)
            | "Key patients" >> beam.Map(_by_patient, AsSingleton(joined, Joined.nothing()))
            | "By patient" >> beam.GroupByKey()
            | "Name patients"
            >> beam.FlatMapTuple(_named).with_outputs(_IN_TEST, _LEAKS, main="images")
        )
        in_test = named[_IN_TEST]
        held: Any = frozenset()
        given = AsSingleton(
            in_test | "Any in test" >> beam.CombineGlobally(any).without_defaults(), False
        )
        if self.hold_out:
            held = AsSingleton(
                named["images"]
                | "May be held out"
                >> beam.FlatMapTuple(
                    lambda image, in_test: [] if in_test or not image.is_valid else [image]
                )
                | "Key by patient" >> beam.WithKeys(lambda image: image.patient)
                | "Held out by patient" >> beam.GroupByKey()
                | "Images of each" >> beam.MapTuple(lambda patient, images: (patient, list(images)))
                | "All that may be" >> beam.combiners.ToDict()
                | "Hold out" >> beam.Map(held_out, self.hold_out, seed=self.seed)
            )
        placed = named["images"] | "Place" >> beam.Map(
            _placed, given, held, seed=self.seed, hold_out=self.hold_out is not None
        )
        of_copies = copies | "Marks of copies" >> beam.MapTuple(lambda _, found: Tally(found.marks))
        return placed, (of_copies, named[_LEAKS]) | "Marks beside" >> beam.Flatten()


def read_kept(file: place.Place) -> Any:
    """Reads what a step kept for another."""
    return pickle.loads(file.read_bytes())


def keep(kept: Any, file: place.Place) -> None:
    """Writes what `read_kept` reads."""
    with place.written(file) as attempt:
        attempt.write_bytes(pickle.dumps(kept))


def quarantined_rows(results: place.Place) -> Iterator[Row]:
    """Yields the rows of the quarantined files, see `quarantine.write_list`, in order."""
    for name in place.names_below(results):
        # Not what a worker that died was writing.
        if re.fullmatch(rf"{QUARANTINED}-\d+", name):
            yield from read_kept(results / name)


def _read_part(path: place.Place) -> Iterator[list[Outcome]]:
    """Yields lists of files that are all to be read, or all not."""
    for _, some in itertools.groupby(read_kept(path), key=lambda file: file.is_to_be_read):
        while batch := list(itertools.islice(some, _FILES_AT_ONCE)):
            yield batch


def _to_be_read(batch: list[Outcome], wanted: bool) -> bool:
    return batch[0].is_to_be_read == wanted


def _screened(
    image: Outcome, verdict: Verdict, copied: Joined, examples: typical.Examples
) -> Outcome:
    return apply(image, verdict, copied, examples) if image.is_valid else image


def _good(image: Outcome) -> Tally:
    return Tally([Mark(("good", image.label))] if image.is_valid else [])


def _counted(outcome: Outcome) -> Tally:
    return Tally([*marks(outcome), *warning_marks(outcome), *survey_marks(outcome)])


def _by_patient(image: Outcome, joined: Joined) -> tuple[int, Outcome]:
    return splits.joined_patient(image, joined), image


def _named(_: int, images: Iterable[Outcome]) -> Iterator[Any]:
    images = list(images)
    if marks_of_leaks := leaks.of_patients(images):
        yield TaggedOutput(_LEAKS, Tally(marks_of_leaks))
    named, in_test = splits.of_one_patient(images)
    yield TaggedOutput(_IN_TEST, in_test)
    yield from ((image, in_test) for image in named)


def _placed(
    named: tuple[Outcome, bool],
    any_in_test: bool,
    held: frozenset[str],
    *,
    seed: int,
    hold_out: bool,
) -> Outcome:
    image, in_test = named
    return splits.place(
        image,
        in_test=in_test,
        held=held,
        hold_out=hold_out,
        test_is_given=bool(any_in_test or held),
        seed=seed,
    )


def _listed(outcome: Outcome) -> tuple[int, tuple[int, Row]]:
    row = (outcome.file.filename, outcome.quarantined, outcome.file.size, outcome.sha256)
    return outcome.index // _ROWS_IN_A_LIST, (outcome.index, row)


def _keep_rows(listed: tuple[int, Iterable[tuple[int, Row]]], results: place.Place) -> None:
    number, rows = listed
    keep([row for _, row in sorted(rows)], results / f"{QUARANTINED}-{number:06d}")
