"""Which file each row of a table means. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from transform_module.errors import UserError

_IMAGE_SUFFIX = re.compile(
    r"\.(?:jpe?g|jpe|png|dcm|dicom|bmp|gif|tiff?|webp|jp2|j2k|heic|heif|avif)$", re.IGNORECASE
)

_EXACT: Final = 0
_BY_END: Final = 1
_WITHOUT_SUFFIX: Final = 2


class _Row(Protocol):
    @property
    def line(self) -> int: ...


_Of = TypeVar("_Of", bound=_Row)


class _Claim(NamedTuple):
    """A file that a row may mean: how well it fits, the file, and another that fits as well."""

    rank: int
    file: str
    rival: str = ""


@dataclass
class Matching(Generic[_Of]):
    """Finds the files that the rows of a table mean.

    A row means the file whose path ends in the row's: `images_001/images/a.png` and the whole path
    are found by `images/a.png` and by `a.png`, and where no row fits so, the suffix does not count,
    as in tables that have ids, or of images that were converted since. A path relative to the image
    folder, or one above it, goes before one that is relative to a folder in it.

    Attributes:
        rows: of the table, by their paths.
        root: the parts of the image folder's path.
        where: what a row's line is in a message, such as ``labels.csv, line``.
    """

    rows: Mapping[str, _Of]
    root: tuple[str, ...]
    where: str
    _stems: dict[str, str | None] = field(default_factory=dict)
    _claims: dict[str, _Claim] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in self.rows:
            stem = _stem(path)
            # Of two images that differ by the suffix alone, neither goes without it.
            self._stems[stem] = None if stem in self._stems else path

    def match(self, files: Iterable[str]) -> None:
        """Finds for each row its file.

        Args:
            files: paths relative to the image folder, all of those that may be meant.

        Raises:
            UserError: a row may mean two files.
        """
        for file in files:
            found = self._find(file)
            if found is None:
                continue
            path, claim = found
            known = self._claims.setdefault(path, claim)
            if claim.rank < known.rank:
                self._claims[path] = claim
            elif claim.rank == known.rank and claim.file != known.file:
                self._claims[path] = known._replace(rival=claim.file)
        for path, claim in self._claims.items():
            if claim.rival:
                raise UserError(
                    f"{self.where} {self.rows[path].line}: {path} may be {claim.file} or "
                    f"{claim.rival}. Write the path from the image folder on."
                )

    def row(self, file: str) -> _Of | None:
        """Returns the row that means a file; None where none does."""
        found = self._find(file)
        if found is None or self._claims[found[0]].file != file:
            return None
        return self.rows[found[0]]

    def file(self, path: str) -> str | None:
        """Returns the file that a row means; None where it is not there."""
        claim = self._claims.get(path)
        return claim.file if claim else None

    def without_file(self) -> Iterator[_Of]:
        """Yields the rows whose file is not there, in the order of the table."""
        return (row for path, row in self.rows.items() if path not in self._claims)

    def _find(self, file: str) -> tuple[str, _Claim] | None:
        parts = (*self.root, *file.split("/"))
        ends = ["/".join(parts[start:]) for start in range(len(parts))]
        for number, end in enumerate(ends):
            if end in self.rows:
                return end, _Claim(_EXACT if number <= len(self.root) else _BY_END, file)
        for end in ends:
            if path := self._stems.get(_stem(end)):
                return path, _Claim(_WITHOUT_SUFFIX, file)
        return None


def _stem(path: str) -> str:
    return _IMAGE_SUFFIX.sub("", path)
