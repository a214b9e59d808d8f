"""Text for people: names of files that are safe to print and to keep, and counts of things."""

import shlex
import unicodedata
from typing import Final

_ESCAPED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of what moves a cursor, ends a line, or reorders what follows: control and
format characters, lone surrogates, line and paragraph separators."""

# Format characters that join letters or signs, as Persian and emoji need, and move nothing.
_JOINERS: Final = "\u200c\u200d"


def printable(text: str, *, keep: str = "") -> str:
    r"""Escapes the characters of a text that would act on a terminal or end its line.

    Args:
        text: a file's name, or a message with names in it.
        keep: characters that stay as they are.

    Returns:
        The text with each such character as ``\x1b``, ``\u202e`` or ``\U000e0001``.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if character in keep
        or character in _JOINERS
        or unicodedata.category(character) not in _ESCAPED
        else _escaped(ord(character))
        for character in text
    )


def shell_quoted(text: str) -> str:
    r"""Quotes a word for a shell's command line, on one line and safe to print.

    Args:
        text: such as a path.

    Returns:
        As `shlex.quote`; with characters that `printable` escapes, as bash and zsh read it:
        ``$'a\x1b'``.
    """
    shown = printable(text)
    if shown == text:
        return shlex.quote(text)
    return "$'" + printable(text.replace("\\", "\\\\").replace("'", "\\'")) + "'"


def count(number: int, noun: str) -> str:
    """Returns a number of things, such as ``1 image`` or ``1,200 images``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def brief(value: float) -> str:
    """Returns a measurement with as many digits as a table needs: ``1``, ``1.33`` or ``7,238``."""
    if value == int(value):
        return f"{value:,.0f}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def as_text(path: bytes) -> str:
    r"""Returns a path as text for people.

    Bytes that are not UTF-8 are shown as ``\xe9``, and so are the characters that `printable`
    escapes.
    """
    return printable(path.decode("utf-8", "backslashreplace"))


def _escaped(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
