"""Finished predictions so far: the folder ``OUT.parts``, which every worker has to see.

A table in a store has a folder of its own for each call, ``OUT.parts-…``, as there are no locks:
it is removed at the end, and a killed call is not resumed.

* ``inputs.jsonl``: what is predicted, see `inputs`. The other files are used again only where this
one   would be written the same.
* ``00000/00000007-00000256-32.jsonl``: of chunk 7 the 32 rows after its first 256.
* ``00000/00000007.done``: all rows of chunk 7 are there. It lists damage.
* ``table``: all rows, until it is renamed to OUT.

Each but the last appears whole or not at all. Where several processes predict one chunk, they
write the same. A folder has the parts of a thousand chunks, so that none is long to list.
"""

import contextlib
import json
import os
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from serving import strict_json
from serving.files.staging import locked
from serving.predict.files import FilePrediction
from serving.predict.many.prediction_table import Row
from transform_module.errors import UserError
from transform_module.files.place import Place, names_below, written
from transform_module.files.store_path import StorePath

PART_IMAGES: Final = 256
"""So many rows are written at once, and lost at most to a kill."""

_IN_A_FOLDER: Final = 1000
"""Chunks whose parts are in one folder."""

_INPUTS = "inputs.jsonl"
_TABLE = "table"
_PART = re.compile(r"\d{8}-\d{8}-(?P<rows>\d+)\.jsonl")
_FOLDER = re.compile(r"\d{5}")
_OURS = re.compile(
    rf"({_FOLDER.pattern}/({_PART.pattern}|\d{{8}}\.done)|{_INPUTS}|{_TABLE})(\.[0-9a-f]{{32}})?"
)


@dataclass(frozen=True)
class Parts:
    """The parts of a table.

    Attributes:
        folder: where they are.
    """

    folder: Place

    @classmethod
    def of(cls, out: Place) -> "Parts":
        """Returns the parts of a table.

        Args:
            out: the table, an absolute path.

        Raises:
            UserError: where they are kept is something else.
        """
        if isinstance(out, StorePath):
            return cls(out.with_name(f"{out.name}.parts-{uuid.uuid4().hex}"))
        parts = cls(out.with_name(f"{out.name}.parts"))
        parts.refuse_foreign()
        return parts

    @property
    def inputs(self) -> Place:
        """The list of what is predicted."""
        return self.folder / _INPUTS

    @property
    def table(self) -> Place:
        """The table that becomes OUT on this machine."""
        return self.folder / _TABLE

    def refuse_foreign(self) -> None:
        """Keeps what another made in the place where parts are deleted.

        Raises:
            UserError: something in it is not a part.
        """
        if isinstance(self.folder, StorePath):
            return  # no other has its name
        if self.folder.is_dir():
            folders = [each.name for each in self.folder.iterdir() if each.is_dir()]
            foreign = [
                *(name for name in names_below(self.folder) if not _OURS.fullmatch(name)),
                *(name for name in folders if not _FOLDER.fullmatch(name)),
            ]
        else:
            foreign = [self.folder.name] if os.path.lexists(self.folder) else []
        if foreign:
            raise UserError(
                f"{self.folder} is needed for the parts of a table, and holds something else: "
                f"{foreign[0]}. Move it away, or choose another file to write."
            )

    def write(self, chunk: int, start: int, rows: Sequence[FilePrediction]) -> None:
        """Keeps rows of a chunk: those after its first ``start``."""
        content = "".join(strict_json.dumps(vars(row)) + "\n" for row in rows)
        self._write(self._of(chunk) / f"{chunk:08d}-{start:08d}-{len(rows)}.jsonl", content)

    def finish(self, chunk: int, damage: str) -> None:
        """Keeps that all rows of a chunk are there, and what was damaged."""
        self._write(self._done(chunk), damage)

    def finished(self, chunk: int) -> bool:
        """Returns whether all rows of a chunk are there."""
        return self._done(chunk).exists()

    def damage(self, chunk: int) -> str:
        """Returns what was damaged of a finished chunk; nothing where it is whole."""
        return self._done(chunk).read_text(encoding="utf-8")

    def count_rows(self, chunk: int | None = None) -> int:
        """Counts the rows that are there, of one chunk or of all."""
        if chunk is None:
            return sum(map(_rows, names_below(self.folder)))
        names = names_below(self._of(chunk))
        return sum(_rows(name) for name in names if name.startswith(f"{chunk:08d}-"))

    def rows(self) -> Iterator[Row]:
        """Reads the rows that are there, in the order of the inputs."""
        for name in filter(_rows, names_below(self.folder)):
            with (self.folder / name).open(encoding="ascii") as lines:
                yield from map(json.loads, lines)

    def clear(self, kept: Place | None = None) -> None:
        """Removes all files, but one that is kept."""
        # Without the list of inputs no part is used again, wherever this is killed.
        for name in sorted(names_below(self.folder), key=lambda name: name != _INPUTS):
            if kept is None or name != kept.name:
                (self.folder / name).unlink()
        if isinstance(self.folder, Path):
            for folder in filter(Path.is_dir, list(self.folder.iterdir())):
                folder.rmdir()

    @contextmanager
    def used(self, out: Place) -> Iterator[None]:
        """Keeps the folder until the block ends, and after it where a later call resumes.

        Args:
            out: the table, as messages name it.

        Raises:
            UserError: another process of this machine writes the table.
        """
        if isinstance(self.folder, StorePath):
            try:
                yield
            finally:
                self.folder.sweep()
            return
        with locked(self.folder, Path(str(out))):
            try:
                yield
            finally:
                if not self.count_rows():
                    self.clear()
                # Only where it is empty.
                with contextlib.suppress(OSError):
                    self.folder.rmdir()

    @contextmanager
    def publishing(self, out: Place) -> Iterator[Path]:
        """Yields a local path to write the table to, which becomes OUT when the block ends."""
        if isinstance(self.table, StorePath):
            with written(out) as attempt:
                yield attempt
            return
        yield self.table
        os.replace(self.table, str(out))
        self.clear()

    def _of(self, chunk: int) -> Place:
        return self.folder / f"{chunk // _IN_A_FOLDER:05d}"

    def _done(self, chunk: int) -> Place:
        return self._of(chunk) / f"{chunk:08d}.done"

    def _write(self, file: Place, content: str) -> None:
        with written(file) as attempt:
            attempt.write_text(content, encoding="utf-8")


def _rows(name: str) -> int:
    """Returns how many rows a file has, by its name; 0 if it is not a part."""
    match = _PART.fullmatch(os.path.basename(name))
    return int(match["rows"]) if match else 0
