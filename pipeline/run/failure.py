"""Reasons of a component's failure."""

import re
from pathlib import Path
from typing import Final

from serving.process import system_errors
from serving.process.system_errors import chain
from transform_module.errors import UserError

_RAISED = re.compile(
    r"(?:^|\s)(?:transform_module\.errors\.)?UserError: (.+?)"
    r"(?:\s*\[while running '|\n\n(?:The above|During handling of the above) exc|\nTraceback|\Z)",
    re.DOTALL,
)
_LONGEST: Final = 200
"""Characters of a library's message that are shown. One that is longer quotes data."""

# A quoted record: bytes as Python writes them, or what no terminal prints.
_DATA: Final = re.compile("\N{REPLACEMENT CHARACTER}|" r"\\x[0-9a-f]{2}|\\[0-7]{3}|\bb'|\bb\"")


def explain(error: BaseException, root: Path | None = None) -> str:
    """Returns an error's message for people, without data that a library's message may quote.

    Beam wraps what a component raises into a RuntimeError that holds the traceback as text.

    Args:
        error: what the orchestrator raised.
        root: where the run writes; it is named where a disk is full and the error names no file.

    Returns:
        The message of the UserError inside, if there is one; else what the operating system
        refused; else the error's type and last line.
    """
    for link in chain(error):
        if isinstance(link, UserError):
            return _without_stage(str(link))
    for link in chain(error):
        if found := _RAISED.findall(str(link)):
            return str(found[-1]).strip()
    if explained := system_errors.explain(error, root):
        return explained
    lines = [each.strip() for each in _without_stage(str(error)).strip().split("\n")]
    # TensorFlow ends with the operation: [[{{node IteratorGetNext}}]] [Op:IteratorGetNext].
    last = next((each for each in reversed(lines) if each and not each.startswith("[")), "")
    if typed := re.match(r"([\w.]+(?:Error|Exception))\b", last):
        return without_data(typed[1], last)
    name = type(error).__name__
    return without_data(name, f"{name}: {last}") if last else name


def without_data(name: str, text: str) -> str:
    """Returns an error's text, or its name alone where the text may quote a record."""
    if len(text) > _LONGEST or not text.isprintable() or _DATA.search(text):
        return f"{name} (its message quotes data, or is long)"
    return text


def _without_stage(text: str) -> str:
    return re.sub(r"\s*\[while running '.*", "", text, flags=re.DOTALL)
