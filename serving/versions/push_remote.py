"""Publishing a model in a remote push folder, such as gs://bucket/pushed.

Object storage renames no folders. A version's ``saved_model.pb`` is written after all that it
needs, since servers take a folder without it for none that can be loaded, and try again; its
manifest is written last, since a version without one never counts as pushed. Machines that push at
the same time take turns, see `claim`.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from serving.files.claim import Claim, claimed
from serving.versions import push_rules, pushed, rollback_plan, rolled_back, signature
from serving.versions.push import check_examined, push, require_signing
from serving.versions.push_rules import Compared
from serving.versions.rolled_back import RolledBack
from serving.versions.signing import UNSIGNED, SigningSettings
from transform_module.errors import UserError
from transform_module.files import remote
from transform_module.files.sums import digest

_LAST: Final = (pushed.SAVED_MODEL, pushed.MANIFEST)


def versions(folder: str) -> list[int]:
    """Lists the numbers of the versions in the folder of a model, ascending, whole or not.

    Raises:
        OSError, tf.errors.OpError: the folder cannot be read.
    """
    found = map(pushed.version_number, remote.names(folder))
    return sorted(number for number in found if number)


def newest(folder: str, local: Path) -> pushed.Newest:
    """Finds the newest whole version as `pushed.newest` does, and copies it here.

    Args:
        folder: the remote folder of the model's versions.
        local: a local folder for the copies.

    Raises:
        OSError, tf.errors.OpError: the folder or a file in it cannot be read.
        UserError: the newest is broken, and the list of what was rolled back is, too.
    """
    broken: list[str] = []
    left: set[str] = set()
    passed_over = None
    for number in reversed(versions(folder)):
        version = pushed.PushedVersion(number, fetch(folder, str(number), local))
        problems = pushed.verify(version.path)
        if problems:
            broken.append(problems[0].replace(str(version.path), f"{folder}/{number}"))
            left = {each.digest for each in _read_rolled_back(folder)}
        elif left and version.manifest and digest(version.manifest["files"]) in left:
            passed_over = passed_over or version
        else:
            return pushed.Newest(version, tuple(broken))
    return pushed.Newest(passed_over, tuple(broken))


def push_remotely(
    source: Path,
    folder: str,
    record: Mapping[str, Any],
    compared: Compared,
    *,
    signing: SigningSettings = UNSIGNED,
) -> tuple[int, str]:
    """Publishes a model as the next version. A model that is already served is not copied again.

    Args:
        source: the SavedModel's folder.
        folder: the remote folder of the model's versions.
        record: what else the manifest has.
        compared: what was examined.
        signing: as of `push`.

    Returns:
        The version that holds the model, and its folder.

    Raises:
        PushRefused: see `push_rules.check`.
        UserError: the source is not what was examined, no number is left, another push is going
            on, or the version cannot be signed as it must be here.
        OSError, tf.errors.OpError: the folder cannot be read or written.
    """
    files = pushed.sums(source)
    check_examined(compared.files, files, str(source))
    with claimed(folder) as claim, tempfile.TemporaryDirectory(prefix="push-") as place:
        found = newest(folder, Path(place, "served"))
        served = found.version
        is_same = bool(served and served.manifest and served.manifest["files"] == files)
        is_signed = bool(served and signature.is_signed(served.path)) or signing.method == "none"
        if served and is_same and not found.broken and is_signed:
            return served.version, f"{folder}/{served.version}"
        known = _read_rolled_back(folder)
        number = str(served.version) if served else ""
        # Above a broken version even the same model is published anew, as in a local folder.
        push_rules.check(compared, compared.version if is_same else number, known, folder)
        published = _publish(source, folder, record, Path(place), claim, signing)
        if any(map(compared.is_model, known)):
            kept = [each for each in known if not compared.is_model(each)]
            remote.write(f"{folder}/{rolled_back.ROLLED_BACK}", rolled_back.to_json(kept))
        return published


def rollback_remotely(
    folder: str, to: int | None = None, *, signing: SigningSettings = UNSIGNED
) -> tuple[int, int]:
    """Publishes a former version anew, as `serving.versions.push.rollback` does.

    Args:
        folder: the remote folder of the model's versions.
        to: the version to go back to, or None.
        signing: who signs the new version.

    Returns:
        The version that is restored, and its new number.

    Raises:
        UserError: see `rollback_plan.plan`.
        OSError, tf.errors.OpError: the folder cannot be read or written.
    """
    if not versions(folder):
        raise UserError(f"{folder}: there is no pushed version to go back to.")
    with claimed(folder) as claim, tempfile.TemporaryDirectory(prefix="rollback-") as place:
        local = Path(place, PurePosixPath(folder).name)
        found = [pushed.PushedVersion(number, local / str(number)) for number in versions(folder)]
        for each in found:
            each.path.mkdir(parents=True)
            _fetch_file(f"{folder}/{each.version}", each.path, pushed.MANIFEST)

        def verify(version: pushed.PushedVersion) -> list[str]:
            at = f"{folder}/{version.version}"
            for name in _names(version.manifest):
                if not (version.path / name).exists():
                    _fetch_file(at, version.path, name)
            problems = pushed.verify(version.path)
            return [each.replace(str(version.path), at) for each in problems]

        plan = rollback_plan.plan(found, to, _read_rolled_back(folder), verify=verify, place=folder)
        require_signing(signing)
        remote.write(f"{folder}/{rolled_back.ROLLED_BACK}", rolled_back.to_json(plan.rolled_back))
        number, _ = _publish(plan.chosen.path, folder, plan.record, Path(place), claim, signing)
        return plan.chosen.version, number


def _publish(
    source: Path,
    folder: str,
    record: Mapping[str, Any],
    place: Path,
    claim: Claim,
    signing: SigningSettings,
) -> tuple[int, str]:
    local = place / "new" / PurePosixPath(folder).name
    for highest in versions(folder)[-1:]:
        (local / str(highest)).mkdir(parents=True)  # the next number is greater
    version = push(source, local, record, signing=signing)
    target = f"{folder}/{version.version}"
    names = remote.files(str(version.path))
    names.sort(key=lambda name: _LAST.index(name) if name in _LAST else -1)
    *before, last = names
    remote.copy(str(version.path), target, before)
    claim.require()
    remote.copy(str(version.path), target, [last])
    return version.version, target


def fetch(folder: str, version: str, target: Path) -> Path:
    """Copies a version here, as its manifest lists it.

    Returns:
        Its folder, ``{target}/{model}/{version}``; what is missing there is missing here.

    Raises:
        OSError, tf.errors.OpError: a file is there and cannot be read.
    """
    local = target / PurePosixPath(folder).name / version
    local.mkdir(parents=True)
    _fetch_file(f"{folder}/{version}", local, pushed.MANIFEST)
    for name in _names(pushed.read_manifest(local)):
        _fetch_file(f"{folder}/{version}", local, name)
    return local


def _names(manifest: Mapping[str, Any] | None) -> Iterator[str]:
    """Yields the files of a version, and its signature, beside its manifest."""
    if manifest:
        yield from manifest["files"]
        yield signature.SIGNATURE


def _fetch_file(source: str, target: Path, name: str) -> None:
    try:
        remote.copy(source, str(target), [name])
    except remote.NOT_FOUND:
        return


def _read_rolled_back(folder: str) -> list[RolledBack]:
    path = f"{folder}/{rolled_back.ROLLED_BACK}"
    try:
        with remote.opened(path) as file:
            return rolled_back.from_json(file.read(), path)
    except remote.NOT_FOUND:
        return []
