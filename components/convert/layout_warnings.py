"""Warnings about an image folder, in sentences with counts and examples. Pure."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from components.convert.outcomes import Outcome
from components.convert.tally import Count, Mark, Tally
from serving.images import passed_over
from serving.images.dataset import PatientsKnown
from serving.images.encoding.formats import SUFFIXES
from serving.images.folders import split_of
from serving.images.labels.class_names import UNDERSTOOD
from transform_module.contract import LABELS, TRAIN

LEAST_IMBALANCE: Final = 20
"""From so many times as many images of one class in train on, a warning is given."""

_SKIPPED: Final = {
    passed_over.MASK: "Masks or annotations were skipped",
    passed_over.THUMBNAIL: "Thumbnails were skipped",
    passed_over.DISCARDED: "Files in trash folders were skipped",
    passed_over.COPY: "A second copy of the images was skipped",
}
_SHOWN = 2


def layout_warnings(
    tally: Tally, known: PatientsKnown, notes: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Finds what a user should look at before a model is trained on a dataset.

    Args:
        tally: of what became of each file.
        known: for how many of the readable images the patient is known.
        notes: what else to know of the patients.

    Returns:
        One sentence, or a few, for each doubt.
    """
    return (
        *_base(tally),
        *_skipped(tally),
        *_doubtful_folders(tally),
        *_without_split(tally),
        *_classes(tally),
        *_patients(known),
        *notes,
    )


def warning_marks(outcome: Outcome) -> Iterator[Mark]:
    """Returns how an outcome counts in the warnings."""
    file, name = outcome.file, outcome.file.filename
    order = (outcome.index,)
    if file.skipped and name.lower().endswith(SUFFIXES):
        yield Mark(("skipped image", file.skipped), order, name)
    if not outcome.is_valid:
        return
    above = 0 if file.line else file.depth - bool(file.folder) - bool(file.label)
    yield Mark(("base",), order, "/".join(name.split("/")[:above]))
    if not file.folder:
        yield Mark(("beside",), order, name)
    for folder in file.below_class.split("/")[:-1]:
        other = UNDERSTOOD.label_of(folder) not in (None, file.label)
        if other or split_of(folder) or passed_over.is_doubtful_folder(folder):
            yield Mark(("doubtful", folder), order, name)
            break


def _base(tally: Tally) -> Iterator[str]:
    for base in tally["base",].shown[:1]:
        if base:
            yield f"The class folders were found in {base}."


def _skipped(tally: Tally) -> Iterator[str]:
    for reason, words in _SKIPPED.items():
        if (found := tally["skipped image", reason]).number:
            yield f"{words}: {_counted(found)}."


def _doubtful_folders(tally: Tally) -> Iterator[str]:
    for (folder,), found in tally.of("doubtful").items():
        yield (
            f"Images in folders named {folder} are taken like any other: {_counted(found)}. Move "
            "them out of the image folder if they are not original X-rays."
        )


def _without_split(tally: Tally) -> Iterator[str]:
    beside = tally["beside",]
    if beside.number and beside.number < tally["base",].number:
        yield (
            "Images in class folders beside the folders of the splits are split as those of train "
            f"and val are: {_counted(beside)}."
        )


def _classes(tally: Tally) -> Iterator[str]:
    for label in LABELS:
        if not tally["label", label].number:
            yield f"There is no image of {label} at all: no model can learn from this dataset."
    train = Counter[str]()
    for (split, label, _), count in tally.of("images").items():
        if split == TRAIN:
            train[label] += count.number
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


def _counted(count: Count) -> str:
    return f"{count.number:,}, such as {', '.join(count.shown[:_SHOWN])}"
