"""What the folders of classes, and the labels in tables, are called. Pure.

Without a setting only names are understood that cannot be misread: those of the labels themselves,
`no finding` and `healthy`, and the kinds of pneumonia, bacterial and viral. Numbers are not, as 0
and 1 may number folds, wards or patients; nor is COVID-19, which some datasets have as a class of
its own. Where a name is not understood, the setting that would name it is proposed.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from transform_module.contract import LABELS

LEFT_OUT: Final = "LEFT_OUT"
"""The key of `dataset.classes` that names what takes no part."""

KEYS: Final = (*LABELS, LEFT_OUT)

_NORMAL, _PNEUMONIA = LABELS
_SUBTYPES: Final = {
    name: subtype
    for subtype, words in {
        "bacteria": ("bacteria", "bacterial"),
        "virus": ("virus", "viral"),
    }.items()
    for word in words
    for name in (word, f"{word} pneumonia", f"pneumonia {word}")
}
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_YAML_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})

_PROBABLY = (
    (_NORMAL, re.compile(r"0|false|no|neg(ative)?|normal.*|.*healthy.*|controls?|.*no ?finding.*")),
    (
        _PNEUMONIA,
        re.compile(r"1|true|yes|pos(itive)?|.*(pneu|monia|bacteri|vir(us|al)|covid|sars).*"),
    ),
)


class Meaning(NamedTuple):
    """What a name stands for.

    Attributes:
        label: one of LABELS; empty where the images are left out.
        subtype: the kind of pneumonia; empty where the name has none.
    """

    label: str
    subtype: str = ""


def normalized(name: str) -> str:
    """Returns a name in the form in which names are compared: `No_Finding ` is `no finding`."""
    text = " ".join(re.split(r"[\s_-]+", name.strip().lower())).strip()
    return re.sub(r"(\d)\.0+$", r"\1", text)


class ClassNames:
    """The names of the classes.

    Args:
        given: for some of KEYS, names in any case; they go before those that are understood anyway.
    """

    def __init__(self, given: Mapping[str, Sequence[str]] | None = None) -> None:
        self._given = {
            normalized(name): _given(key, normalized(name))
            for key, names in (given or {}).items()
            for name in names
        }
        self._own = {normalized(label): Meaning(label) for label in LABELS}
        self._understood = {
            **self._own,
            **dict.fromkeys(("no finding", "nofinding", "healthy"), Meaning(_NORMAL)),
            **{name: Meaning(_PNEUMONIA, subtype) for name, subtype in _SUBTYPES.items()},
            **self._given,
        }

    def meaning(self, name: str) -> Meaning | None:
        """Returns what a name stands for; None where it is not understood."""
        return self._understood.get(normalized(name))

    def label_of(self, name: str) -> str | None:
        """Returns which of LABELS a name stands for."""
        found = self.meaning(name)
        return found.label or None if found else None

    def is_certain(self, name: str) -> bool:
        """Returns whether a name alone shows that a folder is that of a class.

        Others, such as `virus`, are understood beside such folders.
        """
        found = {**self._own, **self._given}.get(normalized(name))
        return bool(found and found.label)

    def proposal(self, names: Iterable[str]) -> str:
        """Returns an option that names classes, ready to paste and to be corrected.

        Args:
            names: those that were found; the ones that are understood are not repeated.
        """
        proposed: dict[str, list[str]] = {key: [] for key in KEYS}
        for name in sorted(set(names)):
            if self.meaning(name) is None:
                fitting = (key for key, words in _PROBABLY if words.fullmatch(normalized(name)))
                proposed[next(fitting, LEFT_OUT)].append(_quoted(name))
        listed = ", ".join(
            f"{key}: [{', '.join(each)}]"
            for key, each in proposed.items()
            if each or key != LEFT_OUT
        )
        return f"--classes '{{{listed}}}'"


def _given(key: str, name: str) -> Meaning:
    if key != _PNEUMONIA:
        return Meaning("" if key == LEFT_OUT else key)
    is_a_word = name != normalized(key) and name not in _YAML_WORDS and re.search("[^\\W\\d]", name)
    return Meaning(key, _SUBTYPES.get(name, name) if is_a_word else "")


def _quoted(name: str) -> str:
    """Writes a name as YAML takes it, between the single quotes of a shell."""
    if _PLAIN.fullmatch(name) and name.lower() not in _YAML_WORDS:
        return name
    return json.dumps(name).replace("'", "\\u0027")


UNDERSTOOD: Final = ClassNames()
"""The names that are understood without a setting."""
