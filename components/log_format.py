"""The format of log lines: no data that libraries quote, no name that acts on a terminal."""

import logging
from typing import Any

from components.quoted_data import without_quoted_data
from components.text import printable


class Formatter(logging.Formatter):
    """Python's, after `without_quoted_data` and `printable`; a traceback keeps its lines."""

    def __init__(self, fmt: str | None = None, *, one_line: bool = True) -> None:
        """Makes a formatter.

        Args:
            fmt: of Python's formatter.
            one_line: whether a message is one line, so that none can pass for two.
        """
        super().__init__(fmt)
        self._keep = "\t" if one_line else "\n\t"

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Returns the record's line."""
        return printable(without_quoted_data(super().formatMessage(record)), keep=self._keep)

    def formatException(self, ei: Any) -> str:
        """Returns a traceback."""
        return printable(without_quoted_data(super().formatException(ei)), keep="\n\t")

    def format(self, record: logging.LogRecord) -> str:
        """Returns the record's line, with its traceback."""
        record.exc_text = None  # Another handler's formatter may have left it.
        return super().format(record)
