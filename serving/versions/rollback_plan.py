"""Plan of a rollback: the version to publish again, and the record of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from serving.versions import pushed
from serving.versions.pushed import PushedVersion
from serving.versions.rolled_back import RolledBack
from transform_module.errors import UserError
from transform_module.files.sums import digest

Verify = Callable[[PushedVersion], list[str]]
"""Returns what is wrong with a version, a sentence each; its files are there afterwards."""

# What a push itself writes into a manifest.
_OWN: Final = ("name", "version", "created", "files")


@dataclass(frozen=True)
class Plan:
    """A rollback.

    Attributes:
        chosen: the version that is published anew, whole.
        files: its files.
        record: what its new manifest holds beside.
        rolled_back: the models that are not pushed again from then on.
    """

    chosen: PushedVersion
    files: dict[str, str]
    record: dict[str, Any]
    rolled_back: list[RolledBack]


def plan(
    versions: Sequence[PushedVersion],
    to: int | None,
    known: Sequence[RolledBack],
    *,
    verify: Verify,
    place: str,
) -> Plan:
    """Plans a rollback.

    Args:
        versions: all that are there, the oldest first.
        to: the version to go back to. If None, that is the newest whole one where the highest is
            broken; else the last one that is another model than the present one. A model that was
            rolled back is never chosen without its number.
        known: what was rolled back before.
        verify: checks a version.
        place: the folder of the versions, for the message.

    Raises:
        UserError: there is no such version, it is not whole, or it is what is served already.
    """
    if not versions:
        raise UserError(f"{place}: there is no pushed version to go back to.")
    present = versions[-1]
    is_whole = not verify(present)
    was_left = _by_digest(known)
    if to is not None:
        chosen = _named(versions, to, place)
    elif is_whole:
        chosen = _before(versions, was_left, place)
    else:
        chosen = _newest_whole(versions, was_left, verify, place)
    if is_whole and _files(chosen) == _files(present):
        raise UserError(f"{place}: version {chosen.version} is what is served already.")
    if problems := verify(chosen):
        older = (each for each in reversed(versions) if each.version < chosen.version)
        other = next(
            (f" {each.version}" for each in older if not (was_left(each) or verify(each))), ""
        )
        raise UserError(
            f"{problems[0]}. Version {chosen.version} is not whole; go back to another: --to{other}"
        )
    files = _files(chosen)
    above = [present] if is_whole else [each for each in versions if each.version > chosen.version]
    # A broken copy of the restored model is not another model.
    left = [each for each in above if _files(each) != files and not was_left(each)]
    record = {key: value for key, value in (chosen.manifest or {}).items() if key not in _OWN}
    return Plan(
        chosen,
        files,
        {**record, "restores": chosen.version},
        [
            *(each for each in known if each.digest != digest(files)),
            *(_as_rolled_back(each) for each in left),
        ],
    )


def _named(versions: Sequence[PushedVersion], to: int, place: str) -> PushedVersion:
    for each in versions:
        if each.version == to:
            return each
    known = ", ".join(str(each.version) for each in versions)
    raise UserError(f"{place}: there is no version {to}. There are {known}.")


def _by_digest(known: Sequence[RolledBack]) -> Callable[[PushedVersion], bool]:
    """Returns the test whether a version holds a model that was rolled back."""
    digests = {each.digest for each in known}
    return lambda version: bool(digests) and digest(_files(version)) in digests


def _before(
    versions: Sequence[PushedVersion], was_left: Callable[[PushedVersion], bool], place: str
) -> PushedVersion:
    """The one before the present model's first version: a rollback publishes a model anew."""
    origin = next(each for each in versions if _files(each) == _files(versions[-1]))
    former = [each for each in versions if each.version < origin.version]
    if not former:
        raise UserError(f"{place}: there is no version before {origin.version} to go back to.")
    for each in reversed(former):
        if not was_left(each):
            return each
    raise UserError(
        f"{place}: each version before {origin.version} was rolled back; to go back to one all the "
        f"same, name it: --to {former[-1].version}"
    )


def _newest_whole(
    versions: Sequence[PushedVersion],
    was_left: Callable[[PushedVersion], bool],
    verify: Verify,
    place: str,
) -> PushedVersion:
    # One after the other: to verify a remote version is to download it.
    whole = (each for each in reversed(versions) if not verify(each))
    passed_over = []
    for each in whole:
        if not was_left(each):
            return each
        passed_over.append(each.version)
    if passed_over:
        raise UserError(
            f"{verify(versions[-1])[0]}. Each version in {place} that is whole was rolled back; to "
            f"go back to one all the same, name it: --to {passed_over[0]}"
        )
    raise UserError(
        f"{verify(versions[-1])[0]}. No version in {place} is whole, so that there is none to go "
        "back to."
    )


def _files(version: PushedVersion) -> dict[str, str]:
    """The files of a version as its manifest has them, or as they are where it has none."""
    return dict(version.manifest["files"]) if version.manifest else pushed.sums(version.path)


def _as_rolled_back(version: PushedVersion) -> RolledBack:
    recipe = str((version.manifest or {}).get("recipe", ""))
    return RolledBack(version.version, digest(_files(version)), recipe)
