"""Tables as people keep them: CSV and its relatives, in any usual encoding, and Parquet."""

import codecs
import csv
import gzip
import io
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from transform_module.did_you_mean import did_you_mean
from transform_module.errors import UserError
from transform_module.files.source_path import Source
from transform_module.text import printable

Row = tuple[int, tuple[str, ...]]
"""The line where a row ends, from 1, and its cells, as many as there are columns."""

_DELIMITERS: Final = (",", ";", "\t", "|")
_EXCELS_HINT = re.compile(r'"?sep=(.)"?\s*$', re.IGNORECASE)
# Bytes that no text has, in any of the encodings that are tried.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_NO_TEXT: Final = {
    b"PK\x03\x04": "an Excel workbook or an archive. Save its sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook. Save its sheet as CSV",
    b"\xff\xd8\xff": "an image: it holds no text. Give a CSV file or a folder",
    b"\x89PNG": "an image: it holds no text. Give a CSV file or a folder",
    b"%PDF": "a PDF document. Give a CSV file",
}
_LARGEST: Final = 1024**3


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        place: its file.
        what: what it is, for messages, such as ``table of labels``.
        columns: their names as written, without blanks around them.
        rows: returns all rows from the first; rows without content are left out.
    """

    place: Source
    what: str
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[Row]]

    def where(self, line: int, column: int | None = None) -> str:
        """Returns a row's place in the file, or that of a cell, for a message."""
        named = "" if column is None else f", column {self.columns[column]}"
        return f"{self.place}, line {line}{named}"

    def column(self, names: Sequence[str]) -> int | None:
        """Finds a column.

        Args:
            names: in the form of `compared`; the first that is there is taken.

        Returns:
            Its index, None where there is none.

        Raises:
            UserError: several columns have the name.
        """
        compared_columns = [compared(each) for each in self.columns]
        for name in names:
            if (count := compared_columns.count(name)) > 1:
                raise UserError(
                    f"The {self.what} {self.place} has {count} columns named "
                    f"{self.columns[compared_columns.index(name)]}. Rename all but one."
                )
            if count:
                return compared_columns.index(name)
        return None

    def required(self, name: str, names: Sequence[str] = (), advice: str = "") -> int:
        """Finds a column that must be there; see `column`.

        Args:
            name: for the message.
            names: by which it may go; without them ``name`` alone.
            advice: what else to do where it is missing.

        Raises:
            UserError: it is not there.
        """
        found = self.column(names or (compared(name),))
        if found is None:
            raise UserError(
                f"The {self.what} {self.place} has no column {name}."
                f"{did_you_mean(name, self.columns, cutoff=0.5)} "
                f"It has: {', '.join(self.columns) or 'none'}.{advice}"
            )
        return found


def compared(name: str) -> str:
    """Returns a column's name as names are compared: `Patient ID` is patientid."""
    return re.sub(r"[\s_/-]+", "", name.strip().lower())


def read(place: Source, what: str) -> Table:
    """Reads a table.

    Encoding (UTF-8, UTF-16, Windows-1252), delimiter (comma, semicolon, tab, bar) and compression
    (gzip) are found out. The text is held in memory; its rows are not.

    Args:
        place: a file of text, or a Parquet file.
        what: see `Table`.

    Raises:
        UserError: it cannot be read, or holds no text. While rows are read: one of them is broken.
    """
    try:
        data = place.read_bytes()
        if data.startswith(b"\x1f\x8b"):
            with gzip.open(io.BytesIO(data)) as packed:
                data = packed.read(_LARGEST + 1)
            if len(data) > _LARGEST:
                raise UserError(f"The {what} {place} unpacks to more than 1 GiB.")
    except (OSError, EOFError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UserError(f"The {what} {place} cannot be read: {why}.") from error
    if data.startswith(b"PAR1"):
        return _parquet(place, what, data)
    return _delimited(place, what, _text(place, what, data))


def _text(place: Source, what: str, data: bytes) -> str:
    for signature, kind in _NO_TEXT.items():
        if data.startswith(signature):
            raise UserError(f"The {what} {place} cannot be read: it is {kind}.")
    text = _decoded(data)
    if text is None or _CONTROL.search(text):
        raise UserError(
            f"The {what} {place} cannot be read: it holds no text. Give a CSV file in UTF-8."
        )
    return text


def _decoded(data: bytes) -> str | None:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = ["utf-16"]
    elif data[:1] == b"\x00":
        encodings = ["utf-16-be"]
    elif data[1:2] == b"\x00":
        encodings = ["utf-16-le"]
    else:
        # Windows-1252 is Latin-1 but for characters that no text in Latin-1 has.
        encodings = ["utf-8-sig", "cp1252", "latin-1"]
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _delimited(place: Source, what: str, text: str) -> Table:
    hint = _EXCELS_HINT.match(text.split("\n", 1)[0])
    header = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = hint[1] if hint else max(_DELIMITERS, key=lambda each: _width(header, each))

    def lines() -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        try:
            for cells in reader:
                if hint and reader.line_num == 1:
                    continue
                stripped = [cell.strip() for cell in cells]
                if any(stripped):
                    yield reader.line_num, stripped
        except csv.Error as error:
            raise UserError(
                f"The {what} {place} cannot be read: line {reader.line_num}: {error}."
            ) from error

    columns = tuple(printable(name) for name in next(lines(), (0, []))[1])

    def rows() -> Iterator[Row]:
        found = lines()
        next(found, None)
        for line, cells in found:
            if any(cells[len(columns) :]):
                raise UserError(
                    f"{place}, line {line}: {len(cells)} cells, and {len(columns)} columns. Put "
                    f"cells that hold the delimiter {delimiter!r} in double quotes."
                )
            missing = len(columns) - len(cells)
            yield line, (*cells[: len(columns)], *[""] * missing)

    return Table(place, what, columns, rows)


def _width(header: str, delimiter: str) -> int:
    return len(next(csv.reader([header], delimiter=delimiter), ()))


def _parquet(place: Source, what: str, data: bytes) -> Table:
    import pyarrow as arrow
    from pyarrow import parquet

    def open_file() -> Any:
        try:
            return parquet.ParquetFile(arrow.BufferReader(data))
        except arrow.ArrowException as error:
            raise UserError(f"The {what} {place} cannot be read: {error}.") from error

    def rows() -> Iterator[Row]:
        line = 1
        for batch in open_file().iter_batches():
            for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                line += 1
                cells = tuple(map(_cell, values))
                if any(cells):
                    yield line, cells

    names = open_file().schema_arrow.names
    return Table(place, what, tuple(printable(name.strip()) for name in names), rows)


def _cell(value: Any) -> str:
    """Returns a value as a CSV file would have it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, list):
        return "|".join(map(_cell, value))
    return str(value).strip()
