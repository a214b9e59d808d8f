"""Warnings of the libraries that read and write DICOM: they quote values of the patient."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pydicom.config import disable_value_validation

_LOGGERS: Final = ("pydicom", "highdicom")


@contextmanager
def unquoted() -> Iterator[None]:
    """Drops them; values are read and written as they are, valid or not."""
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    with disable_value_validation(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        try:
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
