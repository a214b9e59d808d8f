"""The format of log lines, in which no name acts on a terminal."""

import logging

from components.text import printable


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

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Returns the record's line."""
        return printable(super().formatMessage(record), keep=self._keep)

    def format(self, record: logging.LogRecord) -> str:
        """Returns the record's line, with its traceback."""
        return printable(super().format(record), keep="\n\t")
