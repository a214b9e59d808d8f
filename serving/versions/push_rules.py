"""Decides whether a blessed model may be pushed: a pure function of the push folder's content."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from serving.versions.pushed import MAXIMUM_VERSION
from serving.versions.rolled_back import RolledBack
from transform_module.errors import UserError
from transform_module.files.sums import digest


class PushRefused(Exception):
    """A model that is not pushed; the message says why and what to do."""


@dataclass(frozen=True)
class Compared:
    """What a model to push was examined with.

    Attributes:
        files: SHA-256 by file of the model that was examined.
        version: the pushed version that it was compared with; an empty text where none was there.
        recipe: what it follows from; an empty text where that is not known.
        again: whether it is pushed even if it was rolled back.
    """

    files: Mapping[str, str]
    version: str = ""
    recipe: str = ""
    again: bool = field(default=False, kw_only=True)

    def is_model(self, left: RolledBack) -> bool:
        """Returns whether it is a model that was rolled back."""
        return left.is_model(digest(self.files), self.recipe)


def check(compared: Compared, newest: str, rolled_back: Iterable[RolledBack], place: str) -> None:
    """Checks that a model may become the next version.

    Args:
        compared: what it was examined with.
        newest: the newest whole version that is pushed now; an empty text where there is none.
        rolled_back: versions that were rolled back.
        place: the folder of the versions, for the message.

    Raises:
        PushRefused: it was rolled back, or another version was pushed since it was compared.
    """
    for left in rolled_back:
        if compared.is_model(left) and not compared.again:
            raise PushRefused(
                f"it is the model that was rolled back as version {left.version} in {place}, or "
                "one made of the same data, settings and code; to push it all the same, run with "
                "--set push.again=true"
            )
    if newest != compared.version:
        was = f"version {compared.version}" if compared.version else "no version"
        now = f"version {newest}" if newest else "no whole version"
        raise PushRefused(
            f"it was compared with {was}, and {place} holds {now} now; run again to compare it "
            "with that"
        )


def next_version(now: int, latest: int, place: str) -> int:
    """Returns the next version's number: the time, or one more than the latest.

    Args:
        now: seconds since 1970.
        latest: the highest version that is there, whole or not; 0 where there is none.
        place: the folder of the versions, for the message.

    Raises:
        UserError: the latest is the highest that there can be.
    """
    if latest >= MAXIMUM_VERSION:
        raise UserError(
            f"{place}/{latest} is the highest version that servers know, so that no other can "
            "follow. Remove that folder."
        )
    return max(now, latest + 1)
