"""The words that no text for users has: each has a plain technical one in its place."""

import re
from collections.abc import Iterable

_REPLACED = (
    r"pictures?",
    r"judg\w+",
    r"answer\w*",
    r"tells?|told|telling",
    r"usable",
    r"spoil\w*|spoilt",
    r"mend(?:s|ed|ing)?",
    r"out of its ground|of its kind|of the model's kind",
    r"left in peace",
    r"from nothing",
    r"hangs? on",
    r"asked (?:for|about)|asks? for|is asked",
    r"bears? no|is refused as",
    r"stands?",
    r"goes on|go on|going on",
    r"lays?|laid",
    r"learn(?:t|s) from|learnt",
)
_PATTERN = re.compile(rf"\b(?:{'|'.join(_REPLACED)})\b", re.IGNORECASE)

ALLOWED = ("report.pictures", "pictures.csv")
"""Names of settings and files, which are interfaces."""


def replaced(text: str) -> list[str]:
    """Returns each such word of a text with what is around it."""
    for name in ALLOWED:
        text = text.replace(name, "")
    return [text[max(0, m.start() - 40) : m.end() + 30] for m in _PATTERN.finditer(text)]


def literals(script: str) -> Iterable[str]:
    """Yields the string literals of a script, without its comments."""
    tokens = re.compile(
        r"/\*.*?\*/|(?<!:)//[^\n]*|\"((?:[^\"\\\n]|\\.)*)\"|`((?:[^`\\]|\\.)*)`", re.DOTALL
    )
    for match in tokens.finditer(script):
        yield from (group for group in match.groups() if group)
