"""Labels in the cells of tables: names, numbers, lists of findings. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from serving.images.labels.class_names import ClassNames, Meaning, normalized
from transform_module.contract import LABELS

OTHER: Final = "other finding"
"""Why an image is left out that shows neither pneumonia nor nothing."""

UNCERTAIN: Final = "uncertain label"
"""Why an image is left out whose label is -1."""

CLASS_LEFT_OUT: Final = "class that is left out"

Uncertain = Literal["drop", "positive", "negative"]

_NORMAL, _PNEUMONIA = LABELS
_NUMBERS: Final = {
    **dict.fromkeys(("0", "false", "no"), 0),
    **dict.fromkeys(("1", "true", "yes"), 1),
    "-1": -1,
}
_ZEROS = re.compile(r"([+-]?\d+)[.,]0+$")
_SEPARATORS = re.compile(r"[|;,]")


class Labelled(NamedTuple):
    """What a cell says of an image.

    Attributes:
        label: one of LABELS; empty where the image is left out.
        subtype: the kind of pneumonia; empty where it is not said.
        left_out: why it is left out; empty where it is not.
    """

    label: str
    subtype: str = ""
    left_out: str = ""


def number(text: str) -> int | None:
    """Reads 0, 1 or -1, also as a float or as true and false; None for anything else."""
    return _NUMBERS.get(_ZEROS.sub(r"\1", text.strip().lower().removeprefix("+")))


@dataclass(frozen=True)
class LabelColumn:
    """How the cells of a column are read.

    Attributes:
        names: of the classes.
        uncertain: what becomes of -1.
        holds_findings: whether it lists findings, of which any but pneumonia is another one; else
            a name that is not understood is a mistake.
    """

    names: ClassNames
    uncertain: Uncertain
    holds_findings: bool = False

    def read(self, text: str) -> Labelled | None:
        """Reads a cell that is not empty; None where it cannot be understood."""
        if found := self.names.meaning(text):
            return _of(found)
        value = number(text)
        if value is not None:
            return by_number(value, self.uncertain)
        if not self.holds_findings:
            return None
        found_names = [self.names.meaning(finding) for finding in findings(text)]
        meanings = [found for found in found_names if found]
        of_pneumonia = [found for found in meanings if found.label == _PNEUMONIA]
        if of_pneumonia:
            subtype = next((found.subtype for found in of_pneumonia if found.subtype), "")
            return Labelled(_PNEUMONIA, subtype)
        if meanings and len(meanings) == len(found_names):
            return _of(min(meanings))
        return Labelled("", left_out=OTHER)


def holds_findings(cells: Iterable[str]) -> bool:
    """Returns whether the cells of a column are lists of findings, rather than names of classes."""
    return any(
        cell.startswith("[")
        or normalized(cell) in ("no finding", "nofinding", "no findings")
        or len(findings(cell)) > 1
        for cell in cells
    )


def findings(text: str) -> list[str]:
    """Returns the findings of a list, such as `Pneumonia|Effusion` or `['pneumonia', 'mass']`."""
    parts = (part.strip(" '\"") for part in _SEPARATORS.split(text.strip("[]")))
    return [part for part in parts if part]


def by_number(value: int, uncertain: Uncertain) -> Labelled:
    """Returns what the number in a column of pneumonia says."""
    if value == -1:
        if uncertain == "drop":
            return Labelled("", left_out=UNCERTAIN)
        value = int(uncertain == "positive")
    return Labelled(LABELS[value])


def by_columns(pneumonia: int | None, no_finding: int | None, uncertain: Uncertain) -> Labelled:
    """Returns what two columns of findings say, as CheXpert's labeler writes them.

    Args:
        pneumonia: 1 where it is there, 0 where it is not, -1 where that is uncertain; None where it
            is not mentioned.
        no_finding: 1 where nothing was found.
        uncertain: what becomes of -1.
    """
    if pneumonia is not None and pneumonia != 0:
        found = by_number(pneumonia, uncertain)
        if found.label != _NORMAL:
            return found
    return Labelled(_NORMAL) if no_finding == 1 else Labelled("", left_out=OTHER)


def _of(found: Meaning) -> Labelled:
    if not found.label:
        return Labelled("", left_out=CLASS_LEFT_OUT)
    return Labelled(found.label, found.subtype)
