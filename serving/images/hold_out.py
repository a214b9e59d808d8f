"""Groups of patients held out on purpose, to evaluate a model on others than it has seen.

Pure: facts about the images in, patients out.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Final, Literal, Protocol

from transform_module.contract import LABELS
from transform_module.errors import UserError

Group = Literal[
    "subtype=virus",
    "patients=first",
    "brightness=low",
    "brightness=high",
    "contrast=low",
    "contrast=high",
    "sharpness=low",
    "sharpness=high",
    "border=low",
    "border=high",
    "size=low",
    "size=high",
]
"""What can be held out: a subtype, or the outer fifth of the patients by a quantity."""

SHARE: Final = 0.2
"""Share of the patients of each class that are held out, but for PNEUMONIA by subtype."""

_NUMBER = re.compile(r"\d+$")


class Image(Protocol):
    """What an image is held out by."""

    @property
    def label(self) -> str:
        """One of LABELS."""

    @property
    def subtype(self) -> str:
        """``normal``, ``bacteria``, ``virus`` or ``unknown``."""

    @property
    def width(self) -> int:
        """In pixels."""

    @property
    def height(self) -> int:
        """In pixels."""

    @property
    def measures(self) -> Mapping[str, float]:
        """What its pixels look like."""


def held_out(
    of_patient: Mapping[str, Sequence[Image]], group: Group, *, seed: int
) -> frozenset[str]:
    """Chooses the patients of the test set.

    By subtype, all patients with an image of it, and a hashed fifth of those that are NORMAL only.
    By a quantity, the fifth of the patients of each class whose images have the least or the most
    of it on average: ``patients`` is the number at the end of the patient's id, ``size`` the pixels
    of the file, the others are `transform_module.images.measures`.

    Args:
        of_patient: the images of each patient who can be trained on or held out.
        group: what is held out.
        seed: decides which NORMAL patients go with a subtype.

    Returns:
        The patients. There are others of each class.

    Raises:
        UserError: there is no such group, or nothing but it.
    """
    name, _, which = group.partition("=")
    classes: dict[str, list[str]] = {label: [] for label in LABELS}
    for patient, shown in of_patient.items():
        classes[max((each.label for each in shown), key=LABELS.index)].append(patient)
    normal, pneumonia = classes.values()
    if name == "subtype":
        chosen = {
            patient
            for patient, shown in of_patient.items()
            if any(each.subtype == which for each in shown)
        }
        chosen |= _least({patient: _hash(patient, seed) for patient in normal})
    else:
        chosen = set()
        for members in (normal, pneumonia):
            quantities = {
                patient: value
                for patient in members
                if (value := _quantity(name, patient, of_patient[patient])) is not None
            }
            if len(set(quantities.values())) > 1:
                sign = -1 if which == "high" else 1
                chosen |= _least({patient: sign * value for patient, value in quantities.items()})
    for label, members in classes.items():
        held = len(chosen.intersection(members))
        if not 0 < held < len(members):
            raise UserError(
                f"hold_out {group} holds out {held} of {len(members)} patients of the class "
                f"{label}; some, and not all, are needed to train and to evaluate. Choose another "
                "group, or null."
            )
    return frozenset(chosen)


def _quantity(name: str, patient: str, images: Sequence[Image]) -> float | None:
    if name == "patients":
        number = _NUMBER.search(patient)
        return float(number[0]) if number else None
    if name == "size":
        return fmean(each.width * each.height for each in images)
    return fmean(each.measures[name] for each in images)


def _least(quantities: Mapping[str, float]) -> set[str]:
    ordered = sorted(quantities, key=lambda patient: (quantities[patient], patient))
    return set(ordered[: max(1, round(SHARE * len(ordered)))])


def _hash(patient: str, seed: int) -> float:
    # Another one than decides between train and eval, which continues among those that stay.
    digest = hashlib.sha256(f"{seed}:hold out:{patient}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
