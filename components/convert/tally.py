"""Counts of the outcomes, with a few examples each: all that is said of a dataset. Pure.

Tallies are added in any order, and their size does not depend on the number of images.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from components.convert.outcomes import Outcome
from serving.images.dataset import FolderCount, PatientsKnown, SplitCount
from serving.images.encoding import formats
from serving.images.folders import FOLDERS
from transform_module.contract import LABELS, SPLITS

EXAMPLES: Final = 5
"""So many examples are kept of what is counted."""


class Mark(NamedTuple):
    """A count, and an example of it.

    Attributes:
        key: of what, the kind first.
        order: of the example: those with the least are kept.
        example: in words; None gives no example.
        number: by how much it grows.
    """

    key: tuple[Any, ...]
    order: tuple[float, ...] = ()
    example: str | None = None
    number: int = 1


class Count(NamedTuple):
    """A number, and the first examples with their orders."""

    number: int = 0
    examples: tuple[tuple[tuple[float, ...], str], ...] = ()

    @property
    def shown(self) -> tuple[str, ...]:
        """The examples."""
        return tuple(example for _, example in self.examples)


class Tally:
    """Counts by their keys; 0 of what was never marked."""

    def __init__(self, marks: Iterable[Mark] = ()) -> None:
        self._counts: dict[tuple[Any, ...], Count] = {}
        for key, order, example, number in marks:
            self._grow(key, number, () if example is None else ((order, example),))

    def __iadd__(self, other: "Tally") -> "Tally":
        for key, (number, examples) in other._counts.items():
            self._grow(key, number, examples)
        return self

    def _grow(self, key: tuple[Any, ...], number: int, examples: tuple[Any, ...]) -> None:
        before = self._counts.get(key)
        if before is None:
            self._counts[key] = Count(number, examples)
            return
        kept = before.examples
        if examples and (len(kept) < EXAMPLES or examples[0] < kept[-1]):
            kept = tuple(sorted({*kept, *examples})[:EXAMPLES])
        self._counts[key] = Count(before.number + number, kept)

    def __getitem__(self, key: tuple[Any, ...]) -> Count:
        return self._counts.get(key, Count())

    def of(self, kind: str) -> dict[tuple[Any, ...], Count]:
        """Returns the counts of a kind by the rest of their keys, sorted by these."""
        found = {key[1:]: count for key, count in self._counts.items() if key[0] == kind}
        return {key: found[key] for key in sorted(found)}

    def most(self, kind: str) -> dict[Any, int]:
        """Returns the numbers of a kind, the largest first, and then the first ones that came."""
        ordered = sorted(
            self.of(kind).items(), key=lambda item: (-item[1].number, item[1].examples)
        )
        return {key: count.number for (key,), count in ordered}


def marks(outcome: Outcome) -> Iterator[Mark]:
    """Yields how an outcome counts."""
    file, order, name = outcome.file, (outcome.index,), outcome.file.filename
    yield Mark(("folder", file.folder, file.label, outcome.place))
    if file.skipped:
        yield Mark(("skipped", file.skipped), order, name)
    for finding, at in outcome.findings:
        yield Mark(("finding", finding), (at, *order), name)
        if finding == "inverted":
            yield Mark(("inverted", file.label), order, name)
        if finding == "unused_bits":
            yield Mark(("bits", 16 - outcome.unused_bits))
    if outcome.quarantined:
        short = outcome.quarantined.split(":")[0]
        yield Mark(("reason", short), order, name)
        # Two different ones are enough to know that they differ.
        yield Mark(("whole reason", short), (), outcome.quarantined)
        yield Mark(("quarantined label", file.label))
    if not outcome.is_valid:
        return
    yield Mark(("label", file.label))
    if owner := outcome.owner:
        yield Mark(("patient" if owner.is_patient else "no patient", owner.known_by), order, "")
    if outcome.split:
        if outcome.format not in formats.DIRECT:
            yield Mark(("re-encoded", outcome.format), order)
        kind = (outcome.split, file.label, outcome.subtype)
        yield Mark(("images", *kind))
        yield Mark(("patients", *kind), number=int(outcome.stands_for_patient))
    else:
        yield Mark(("dropped", str(outcome.patient)))


def count_folders(tally: Tally) -> tuple[FolderCount, ...]:
    """Returns the files of each folder and class by where they went."""
    counts: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for (folder, label, place), count in tally.of("folder").items():
        counts[folder, label][place] = count.number
    columns = (*SPLITS, "quarantined", "skipped", "dropped")
    return tuple(
        FolderCount(
            folder=folder,
            label=label,
            read=sum(counts[folder, label].values()),
            **{column: counts[folder, label].get(column, 0) for column in columns},
        )
        for folder in (*FOLDERS, "")
        for label in (*LABELS, "")
        if (folder, label) in counts
    )


def count_splits(tally: Tally) -> tuple[SplitCount, ...]:
    """Returns the records and patients of each split, class and subtype."""
    return tuple(
        SplitCount(
            split=split,
            label=label,
            subtype=kind,
            images=count.number,
            patients=tally["patients", split, label, kind].number,
        )
        for (split, label, kind), count in sorted(
            tally.of("images").items(),
            key=lambda item: (SPLITS.index(item[0][0]), LABELS.index(item[0][1]), item[0][2]),
        )
    )


def count_reasons(tally: Tally) -> dict[str, int]:
    """Returns the quarantined files by reason, without the particulars, commonest first."""
    reasons = {reason: count.number for (reason,), count in tally.of("reason").items()}
    return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))


def count_skipped(tally: Tally) -> dict[str, int]:
    """Returns the skipped files by reason, commonest first."""
    return tally.most("skipped")


def count_reencoded(tally: Tally) -> dict[str, int]:
    """Returns the records of images that were encoded anew by format, commonest first."""
    return tally.most("re-encoded")


def count_known(tally: Tally) -> PatientsKnown:
    """Returns for how many of the valid images the patient is known."""
    by = tally.most("patient")
    return PatientsKnown(
        images=sum(count.number for count in tally.of("label").values()),
        known=sum(by.values()),
        by=by,
        no_patient_in=tally.most("no patient"),
    )
