"""The words that no text for users has: each has a plain technical one in its place."""

import ast
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

ALLOWED = ("report.pictures",)
"""Names of settings, which are interfaces."""


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


def messages(source: str) -> Iterable[tuple[int, str]]:
    """Yields line and text of each string with a blank in Python code, without docstrings.

    What an f-string is filled with is left out.
    """
    tree = ast.parse(source)
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            passed.update(map(id, node.values))
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value for part in node.values if isinstance(part, ast.Constant))
            text = "{}".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = "" if id(node) in passed else node.value
        else:
            continue
        if " " in text.strip():
            yield node.lineno, text


def prose(markdown: str) -> str:
    """Returns a document without its blocks and spans of code."""
    return re.sub(r"```.*?```|`[^`\n]+`", "", markdown, flags=re.DOTALL)
