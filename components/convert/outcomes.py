"""Outcome of each file, and its counts. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from components.convert.records import Features, features
from components.convert.splits import place
from serving.images.dataset import FolderCount, SplitCount
from serving.images.folders import FOLDERS
from serving.images.hold_out import Group
from serving.images.image import Image
from serving.images.layout import SourceFile
from serving.images.patients import subtype
from transform_module.contract import LABELS, SPLITS


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where one file went: to a split, to quarantine, or it was skipped or dropped.

    Attributes:
        file: the file.
        split: the split that its record is written to.
        quarantined: why it is quarantined.
        dropped: whether it is a good image whose patient is in the test folder, too or, with
            a group held out, at all.
        patient: the joined patient's id, where the image is good.
        sha256: of its bytes, empty where they were not read.
        features: what its record says of it, empty where none is written.
    """

    file: SourceFile
    split: str | None = None
    quarantined: str | None = None
    dropped: bool = False
    patient: str | None = None
    sha256: str = ""
    features: Features = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        """Whether it is a good image, wherever it went."""
        return self.split is not None or self.dropped

    @property
    def place(self) -> str:
        """The column of FolderCount that the file is counted in."""
        if self.file.skipped:
            return "skipped"
        if self.quarantined:
            return "quarantined"
        return "dropped" if self.dropped else str(self.split)


def decide(
    files: Sequence[SourceFile],
    inspections: Iterable[dict],
    patient_of: Callable[[SourceFile], str | None],
    *,
    seed: int,
    hold_out: Group | None = None,
) -> list[Outcome]:
    """Decides where every file goes.

    Args:
        files: all files of the image folder.
        inspections: the results of reading those that could be read, with their index in files.
        patient_of: names a file's patient, None if unknown.
        seed: seed of the split.
        hold_out: the group that becomes the test set.

    Returns:
        One outcome a file, in the same order.
    """
    inspected = {int(found["index"]): found for found in inspections}
    good = [
        index
        for index in sorted(inspected)
        if inspected[index]["reason"] is None and files[index].problem is None
    ]
    images = [_image(files[index], inspected[index], patient_of) for index in good]
    placements = place(images, seed=seed, hold_out=hold_out)
    placed = dict(zip(good, zip(images, placements, strict=True), strict=True))
    outcomes = []
    for index, file in enumerate(files):
        if file.skipped is not None:
            outcomes.append(Outcome(file))
        elif index in placed:
            image, placement = placed[index]
            outcomes.append(
                Outcome(
                    file,
                    split=placement.split,
                    quarantined=placement.quarantined,
                    dropped=placement.split is None and placement.quarantined is None,
                    patient=placement.patient,
                    sha256=image.sha256,
                    features=features(image, placement) if placement.split else {},
                )
            )
        else:
            found = inspected.get(index, {"reason": None, "sha256": ""})
            reason = file.problem or found["reason"]
            outcomes.append(Outcome(file, quarantined=reason, sha256=found["sha256"]))
    return outcomes


def count_folders(outcomes: Iterable[Outcome]) -> tuple[FolderCount, ...]:
    """Counts the files of each folder and class by where they went."""
    counts: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for outcome in outcomes:
        counts[outcome.file.folder, outcome.file.label][outcome.place] += 1
    columns = (*SPLITS, "quarantined", "skipped", "dropped")
    return tuple(
        FolderCount(
            folder=folder,
            label=label,
            read=counts[folder, label].total(),
            **{column: counts[folder, label][column] for column in columns},
        )
        for folder in (*FOLDERS, "")
        for label in (*LABELS, "")
        if (folder, label) in counts
    )


def count_splits(outcomes: Iterable[Outcome]) -> tuple[SplitCount, ...]:
    """Counts the records and patients of each split, class and subtype."""
    patients = defaultdict(list)
    for outcome in outcomes:
        if outcome.split:
            name = outcome.file.filename.rsplit("/", 1)[-1]
            label = outcome.file.label
            patients[outcome.split, label, subtype(label, name)].append(outcome.patient)
    return tuple(
        SplitCount(
            split=split,
            label=label,
            subtype=kind,
            images=len(patients[split, label, kind]),
            patients=len(set(patients[split, label, kind])),
        )
        for split, label, kind in sorted(
            patients, key=lambda key: (SPLITS.index(key[0]), LABELS.index(key[1]), key[2])
        )
    )


def count_reasons(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Counts the quarantined files by reason, without the particulars, commonest first."""
    reasons = Counter(
        outcome.quarantined.split(":")[0] for outcome in outcomes if outcome.quarantined
    )
    return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))


def count_skipped(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Counts the skipped files by reason, commonest first."""
    reasons = Counter(outcome.file.skipped for outcome in outcomes if outcome.file.skipped)
    return {str(reason): count for reason, count in reasons.most_common()}


def _image(file: SourceFile, found: dict, patient_of: Callable[[SourceFile], str | None]) -> Image:
    return Image(
        filename=file.filename,
        folder=file.folder,
        label=file.label,
        subtype=subtype(file.label, file.filename.rsplit("/", 1)[-1]),
        patient=patient_of(file),
        sha256=found["sha256"],
        format=found["format"],
        width=found["width"],
        height=found["height"],
        copies=found.get("copies", ""),
        measures=found.get("measures") or {},
    )
