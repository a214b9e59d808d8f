"""The models that a push folder was rolled back from, which are not pushed again unasked."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from transform_module.errors import UserError

ROLLED_BACK: Final = "rolled_back.json"
"""The file in the folder of a model's versions; servers pass over it, since it is not a number."""


@dataclass(frozen=True)
class RolledBack:
    """A version that was left by a rollback.

    Attributes:
        version: its number.
        digest: of its files, see `transform_module.files.sums.digest`.
        recipe: what it follows from, see `components.artifacts.recipe`; empty where its manifest is
            lost. A model that is trained anew by the same recipe differs in its bytes alone.
    """

    version: int
    digest: str
    recipe: str = ""

    def is_model(self, digest: str, recipe: str) -> bool:
        """Returns whether a model is this one, or was made as this one was."""
        return digest == self.digest or bool(recipe and recipe == self.recipe)


def to_json(versions: Iterable[RolledBack]) -> str:
    """Returns the content of a file `ROLLED_BACK`, which `from_json` reads."""
    return json.dumps({"versions": [asdict(each) for each in versions]}, indent=2) + "\n"


def from_json(text: str | bytes, place: str) -> list[RolledBack]:
    """Reads the content of a file `ROLLED_BACK`.

    Args:
        text: the content.
        place: the file, for the message.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return [
            RolledBack(int(each["version"]), str(each["digest"]), str(each["recipe"]))
            for each in json.loads(text)["versions"]
        ]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UserError(
            f"{place} cannot be read, so that nobody knows which versions were rolled back. "
            "Restore the file, or remove it if none of them is to be kept out."
        ) from error


def read(folder: Path) -> list[RolledBack]:
    """Reads which models a folder of versions was rolled back from.

    Raises:
        OSError: the file is there and cannot be read.
        UserError: it is damaged.
    """
    path = folder / ROLLED_BACK
    try:
        return from_json(path.read_bytes(), str(path))
    except FileNotFoundError:
        return []
