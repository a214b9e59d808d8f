"""Texts of libraries, without the data that they quote.

A library that cannot read a record puts it into its message: Beam in hexadecimal, protobuf in
octal, Python as it writes bytes. Of a patient's record that is the image and the name of its file.
"""

import re
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import Final

from transform_module.files.sync import write_text

_LEFT_OUT: Final = "…"

_ESCAPE: Final = r"\\(?:x[0-9A-Fa-f]{2}|[0-3][0-7]{2})"
_BINARY: Final = "[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\ufffd\ud800-\udfff]"
_RULES: Final = tuple(
    (re.compile(pattern, re.MULTILINE), replacement)
    for pattern, replacement in (
        # Bytes as Python writes them; a text that was cut has no end.
        (r"\bb'(?:[^'\\\n]|\\.)*(?:'|\\?$)", f"b'{_LEFT_OUT}'"),
        (r"\bb\"(?:[^\"\\\n]|\\.)*(?:\"|\\?$)", f'b"{_LEFT_OUT}"'),
        # A field as protobuf writes it.
        (rf"\"(?:[^\"\\\n]|\\.)*?{_ESCAPE}(?:[^\"\\\n]|\\.)*(?:\"|\\?$)", f'"{_LEFT_OUT}"'),
        (rf"\S*{_ESCAPE}(?:.*{_ESCAPE})?\S*", _LEFT_OUT),
        # Bytes themselves, or what replaces them where a text is expected: what letters in such a
        # line mean is not known.
        (rf"^(.*?(?:Error|Exception): )?.*{_BINARY}.*$", rf"\1{_LEFT_OUT}"),
        # Hexadecimal that is longer than a SHA-256, and base64 that is longer than a path's part.
        (r"[0-9A-Fa-f]{65,}", _LEFT_OUT),
        (r"[0-9A-Za-z+/]{160,}={0,2}", _LEFT_OUT),
    )
)


def without_quoted_data(text: str) -> str:
    """Returns a text in which the data that it quotes is replaced by an ellipsis.

    Args:
        text: a message, a traceback or a whole log.
    """
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def clean_file(path: Path) -> None:
    """Removes quoted data from a log that other programs have written to, too.

    Args:
        path: the log; need not exist.

    Raises:
        OSError: it cannot be read or written.
    """
    if not path.is_file():
        return
    content = path.read_text(encoding="utf-8", errors="replace")
    cleaned = without_quoted_data(content)
    if cleaned != content:
        write_text(path, cleaned)


def print_error(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Prints an error that nothing has handled, as Python does, without quoted data.

    Args:
        kind: as `sys.excepthook` gets it.
        error: see there.
        trace: see there.
    """
    text = "".join(traceback.format_exception(kind, error, trace))
    sys.stderr.write(without_quoted_data(text))
