"""Logging that no client can flood."""

import logging
import time
from typing import Final

_PERIOD_SECONDS: Final = 60.0
_RECORDS: Final = 5
"""Records of one kind in a period."""
_KINDS: Final = 200
"""Kinds in a period; the records of further ones are dropped."""


class Sparse(logging.Filter):
    """Lets a few records a minute pass of each kind: of each line of code that logs."""

    def __init__(self) -> None:
        super().__init__()
        self._began = 0.0
        self._counts: dict[tuple[str, int], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether a record passes; the last one of a line that passes says so."""
        now = time.monotonic()
        if now - self._began > _PERIOD_SECONDS:
            self._began = now
            self._counts.clear()
        kind = (record.pathname, record.lineno)
        if kind not in self._counts and len(self._counts) >= _KINDS:
            return False
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count == _RECORDS:
            record.msg = f"{record.getMessage()} (more such messages are not logged for a minute)"
            record.args = None
        return count <= _RECORDS
