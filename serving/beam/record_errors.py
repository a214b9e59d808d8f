"""Beam's errors about a damaged TFRecord: the file, and never a byte of a record.

Its own error holds the whole record that it could not read, in hexadecimal: a patient's image and
the name of its file, in the terminal, the log and the run's record.
"""

import zlib
from collections.abc import Iterator
from typing import Any

from apache_beam.io import tfrecordio

from transform_module.errors import UserError


def name_damaged_files() -> None:
    """Lets this process name the file of a TFRecord that it cannot read; may be called again."""
    source: Any = tfrecordio._TFRecordSource
    if getattr(source.read_records, "names_files", False):
        return
    read_records = source.read_records

    def named(self: Any, file_name: str, offset_range_tracker: Any) -> Iterator[bytes]:
        problem = ""
        try:
            yield from read_records(self, file_name, offset_range_tracker)
        # Of a GZIP file zlib.error, EOFError and OSError; of a record ValueError, with its bytes.
        except (ValueError, EOFError, OSError, zlib.error) as error:
            problem = type(error).__name__
        # Outside of the handler: the error and its bytes are not the context of this one.
        if problem:
            raise UserError(
                f"{file_name} is damaged or cannot be read ({problem}). Run again: what is damaged "
                "is made anew."
            )

    named.names_files = True  # type: ignore[attr-defined]
    source.read_records = named
