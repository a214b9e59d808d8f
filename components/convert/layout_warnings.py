"""Warnings about an image folder, in sentences with counts and examples. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from components.convert.outcomes import Outcome
from serving.images import passed_over
from serving.images.dataset import PatientsKnown
from serving.images.folders import label_of, split_of
from serving.images.patients import Patients
from transform_module.contract import LABELS, TRAIN

LEAST_IMBALANCE: Final = 20
"""From so many times as many images of one class in train on, a warning is given."""

_SKIPPED: Final = {
    passed_over.MASK: "Masks or annotations were skipped",
    passed_over.THUMBNAIL: "Thumbnails were skipped",
    passed_over.DISCARDED: "Files in trash folders were skipped",
    passed_over.COPY: "A second copy of the images was skipped",
}
_IMAGE_SUFFIXES = (".jpeg", ".jpg", ".png", ".bmp", ".gif")
_SHOWN = 2


def layout_warnings(
    outcomes: Sequence[Outcome], patients: Patients, known: PatientsKnown
) -> tuple[str, ...]:
    """Finds what a user should look at before a model is trained on a dataset.

    Args:
        outcomes: what became of each file.
        patients: whose images they are.
        known: for how many of the readable images the patient is known.

    Returns:
        One sentence, or a few, for each doubt.
    """
    valid = [outcome for outcome in outcomes if outcome.is_valid]
    return (
        *_base(valid),
        *_skipped(outcomes),
        *_doubtful_folders(valid),
        *_without_split(valid),
        *_classes(valid),
        *_patients(known),
        *patients.notes,
    )


def _base(valid: Iterable[Outcome]) -> Iterator[str]:
    for outcome in valid:
        file = outcome.file
        above = file.depth - bool(file.folder) - bool(file.label)
        if above:
            yield f"The class folders were found in {'/'.join(file.filename.split('/')[:above])}."
        return


def _skipped(outcomes: Iterable[Outcome]) -> Iterator[str]:
    names: defaultdict[str, list[str]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.file.skipped and outcome.file.filename.lower().endswith(_IMAGE_SUFFIXES):
            names[outcome.file.skipped].append(outcome.file.filename)
    for reason, words in _SKIPPED.items():
        if found := names[reason]:
            yield f"{words}: {_counted(found)}."


def _doubtful_folders(valid: Iterable[Outcome]) -> Iterator[str]:
    names: defaultdict[str, list[str]] = defaultdict(list)
    for outcome in valid:
        for folder in outcome.file.below_class.split("/")[:-1]:
            other = label_of(folder) not in (None, outcome.file.label)
            if other or split_of(folder) or passed_over.is_doubtful_folder(folder):
                names[folder].append(outcome.file.filename)
                break
    for folder, found in sorted(names.items()):
        yield (
            f"Images in folders named {folder} are taken like any other: {_counted(found)}. Move "
            "them out of the image folder if they are not original X-rays."
        )


def _without_split(valid: Sequence[Outcome]) -> Iterator[str]:
    beside = [outcome.file.filename for outcome in valid if not outcome.file.folder]
    if beside and len(beside) < len(valid):
        yield (
            "Images in class folders beside the folders of the splits are split as those of train "
            f"and val are: {_counted(beside)}."
        )


def _classes(valid: Sequence[Outcome]) -> Iterator[str]:
    present = {outcome.file.label for outcome in valid}
    for label in LABELS:
        if label not in present:
            yield f"There is no image of {label} at all: no model can learn from this dataset."
    train = Counter(outcome.file.label for outcome in valid if outcome.split == TRAIN)
    if len(train) == len(LABELS):
        (most, many), (least, few) = train.most_common()
        if many >= LEAST_IMBALANCE * few:
            yield (
                f"In train there are {many:,} {most} and {few:,} {least}, {many // few:,} to 1: "
                "figures on so few are uncertain, and a model may learn to ignore them. See "
                "trainer.balance."
            )


def _patients(known: PatientsKnown) -> Iterator[str]:
    unknown = known.images - known.known
    if not unknown:
        return
    kinds = "".join(f" ({what})" for what in known.no_patient_in)
    yield (
        f"{unknown:,} images are taken as of one patient each{kinds}: if a patient has several, "
        "they may lie in two splits, and figures are too good. Name the patients with --patients "
        "or --patient-pattern."
    )


def _counted(names: Sequence[str]) -> str:
    return f"{len(names):,}, such as {', '.join(names[:_SHOWN])}"
