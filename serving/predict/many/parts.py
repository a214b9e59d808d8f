"""Finished predictions so far: the folder ``OUT.parts``, which every worker has to see.

* ``inputs.jsonl``: what is predicted, see `inputs`. The other files are used again only where this
one   would be written the same.
* ``00000007-00000256-32.jsonl``: of chunk 7 the 32 rows after its first 256.
* ``00000007.done``: all rows of chunk 7 are there. It lists damage.
* ``table``: all rows, until it is renamed to OUT.

Each but the last appears whole or not at all. Where several processes predict one chunk, they
write the same.
"""

import json
import os
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from serving import strict_json
from serving.predict.files import FilePrediction
from serving.predict.many.prediction_table import Row
from transform_module.errors import UserError

PART_IMAGES: Final = 256
"""So many rows are written at once, and lost at most to a kill."""

_INPUTS = "inputs.jsonl"
_TABLE = "table"
_PART = re.compile(r"\d{8}-\d{8}-(?P<rows>\d+)\.jsonl")
_OURS = re.compile(rf"({_PART.pattern}|\d{{8}}\.done|{_INPUTS}|{_TABLE})(\.[0-9a-f]{{32}})?")


@dataclass(frozen=True)
class Parts:
    """The parts of a table.

    Attributes:
        folder: where they are.
    """

    folder: Path

    @property
    def inputs(self) -> Path:
        """The list of what is predicted."""
        return self.folder / _INPUTS

    @property
    def table(self) -> Path:
        """The table that becomes OUT."""
        return self.folder / _TABLE

    def refuse_foreign(self) -> None:
        """Keeps what another made in the place where parts are deleted.

        Raises:
            UserError: something in it is not a part.
        """
        if self.folder.is_dir():
            foreign = [name for name in self._names() if not _OURS.fullmatch(name)]
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
        self._write(self.folder / f"{chunk:08d}-{start:08d}-{len(rows)}.jsonl", content)

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
        start = "" if chunk is None else f"{chunk:08d}-"
        names = (name for name in os.listdir(self.folder) if name.startswith(start))
        return sum(int(match["rows"]) for match in map(_PART.fullmatch, names) if match)

    def rows(self) -> Iterator[Row]:
        """Reads the rows that are there, in the order of the inputs."""
        for name in filter(_PART.fullmatch, self._names()):
            with (self.folder / name).open(encoding="ascii") as lines:
                yield from map(json.loads, lines)

    def clear(self, kept: Path | None = None) -> None:
        """Removes all files, but one that is kept."""
        # Without the list of inputs no part is used again, wherever this is killed.
        for name in sorted(self._names(), key=lambda name: name != _INPUTS):
            if kept is None or name != kept.name:
                (self.folder / name).unlink()

    def _names(self) -> list[str]:
        return sorted(os.listdir(self.folder))

    def _done(self, chunk: int) -> Path:
        return self.folder / f"{chunk:08d}.done"

    def _write(self, file: Path, content: str) -> None:
        attempt = file.with_name(f"{file.name}.{uuid.uuid4().hex}")
        attempt.write_text(content, encoding="utf-8")
        os.replace(attempt, file)
