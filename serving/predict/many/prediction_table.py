"""Writing predictions as a table: CSV, JSON Lines or Parquet."""

import csv
import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

from serving import strict_json
from serving.predict.files import FilePrediction
from transform_module.errors import UserError
from transform_module.files.place import Place
from transform_module.files.store_path import StorePath

COLUMNS: Final = tuple(FilePrediction.__dataclass_fields__)

TRUE_LABEL: Final = "true_label"
"""The column of the labels of a table that was given; empty where it does not list the image."""

Row = dict[str, Any]
"""The fields of a `FilePrediction` by name, and with a table of labels TRUE_LABEL."""

Writer = Callable[[Iterable[Row], Path, Sequence[str]], None]
"""Writes rows of some columns to a file."""

_ROW_GROUP = 64 * 1024


def writer_of(out: Place) -> Writer:
    """Finds what writes a table, by its name.

    Raises:
        UserError: there is none, or no table can be there.
    """
    writer = _WRITERS.get(out.suffix.lower())
    if writer is None:
        raise UserError(f"{out} has to end in one of {', '.join(_WRITERS)}.")
    if isinstance(out, StorePath):
        return writer
    if os.path.isdir(out):
        raise UserError(f"{out} is a folder. Name the file to write.")
    if not os.path.isdir(out.parent):
        raise UserError(f"There is no folder {out.parent} to write {out.name} into.")
    return writer


def write_csv(rows: Iterable[Row], file: TextIO, columns: Sequence[str] = COLUMNS) -> None:
    """Writes one line a row, under a header."""
    writer = csv.DictWriter(file, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _write_csv_file(rows: Iterable[Row], out: Path, columns: Sequence[str]) -> None:
    with out.open("w", encoding="utf-8", newline="") as file:
        write_csv(rows, file, columns)


def _write_json_lines(rows: Iterable[Row], out: Path, columns: Sequence[str]) -> None:
    del columns  # Each row names its own.
    with out.open("w", encoding="utf-8") as file:
        file.writelines(strict_json.dumps(row) + "\n" for row in rows)


def _write_parquet(rows: Iterable[Row], out: Path, columns: Sequence[str]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    types = {
        "path": pa.string(),
        "probability": pa.float64(),
        "label": pa.string(),
        "valid": pa.bool_(),
        "reason": pa.string(),
        "in_domain": pa.bool_(),
        "domain_distance": pa.float64(),
        "triage": pa.string(),
        TRUE_LABEL: pa.string(),
    }
    schema = pa.schema([(name, types[name]) for name in columns])
    left = iter(rows)
    with parquet.ParquetWriter(out, schema) as writer:
        while group := list(itertools.islice(left, _ROW_GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))


_WRITERS: Final[dict[str, Writer]] = {
    ".csv": _write_csv_file,
    ".jsonl": _write_json_lines,
    ".parquet": _write_parquet,
}
