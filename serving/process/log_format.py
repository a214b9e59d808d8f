"""Formats of log lines, in which no name acts on a terminal."""

import logging
from typing import Any

from serving.process.quoted_data import without_quoted_data
from transform_module.text import printable


class Formatter(logging.Formatter):
    """Python's, with names escaped as `printable` does; a traceback keeps its lines."""

    def __init__(self, fmt: str | None = None, *, one_line: bool = True) -> None:
        """Makes a formatter.

        Args:
            fmt: of Python's formatter.
            one_line: whether a message is one line, so that none can pass for two.
        """
        super().__init__(fmt)
        self._keep = "\t" if one_line else "\n\t"

    def cleaned(self, text: str) -> str:
        """Returns a message or a traceback before it is escaped."""
        return text

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Returns the record's line."""
        return printable(self.cleaned(super().formatMessage(record)), keep=self._keep)

    def formatException(self, ei: Any) -> str:
        """Returns a traceback."""
        return printable(self.cleaned(super().formatException(ei)), keep="\n\t")

    def format(self, record: logging.LogRecord) -> str:
        """Returns the record's line, with its traceback."""
        record.exc_text = None  # Another handler's formatter may have left it.
        return super().format(record)


class DataFreeFormatter(Formatter):
    """For what libraries log: also without the data that they quote, see `quoted_data`."""

    def cleaned(self, text: str) -> str:
        """Returns a message or a traceback without quoted data."""
        return without_quoted_data(text)
