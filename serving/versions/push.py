"""Publishing a model in a push folder that servers watch."""

import fcntl
import json
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from serving.versions import push_rules, pushed, rollback_plan, rolled_back, signature
from serving.versions.push_rules import Compared
from serving.versions.rolled_back import RolledBack
from serving.versions.signing import UNSIGNED, SigningSettings, sign
from transform_module.errors import UserError
from transform_module.files.sums import differences
from transform_module.files.sync import make_folder, sync, sync_tree, write_text

# A server takes a folder for a version when its name is a number; this one is not, and is hidden.
_UNFINISHED: Final = ".tmp-"
_LOCK: Final = ".lock"


def push(
    source: Path,
    folder: Path,
    record: Mapping[str, Any],
    compared: Compared | None = None,
    *,
    signing: SigningSettings = UNSIGNED,
    is_trial: bool = False,
) -> pushed.PushedVersion:
    """Publishes a model as the next version, in one step for whoever watches the folder.

    The files are written and synced beside the versions, under a name that no server takes, and
    renamed to the version's number at the end. What a killed push left is removed first. A model
    that is already served is not copied again.

    Args:
        source: the SavedModel's folder.
        folder: the folder of the model's versions. It is made when missing.
        record: what else the manifest has.
        compared: what was examined; without it, whatever the source holds is published.
        signing: who signs the version. A model that is already served unsigned is published anew
            where somebody does.
        is_trial: whether it is served for an examination alone: it needs no signature then.

    Returns:
        The version that holds the model.

    Raises:
        OSError: the folder cannot be read or written.
        PushRefused: see `push_rules.check`.
        UserError: the source is not what was examined, no number is left, or the version cannot be
            signed as it must be here.
    """
    make_folder(folder)
    with locked(folder):
        for leftover in folder.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(leftover)
        files = pushed.sums(source)
        if compared is not None:
            check_examined(compared.files, files, str(source))
        found = pushed.newest(folder.parent, folder.name)
        newest = found.version
        is_same = bool(newest and newest.manifest and newest.manifest["files"] == files)
        if newest and is_same and not found.broken and _is_signed_enough(newest.path, signing):
            return newest
        if compared is None:
            return _publish(source, folder, record, files, signing, is_trial=is_trial)
        known = rolled_back.read(folder)
        number = str(newest.version) if newest else ""
        # Above a broken version even the same model is published anew, since servers look there
        # first; it was compared with what that one was compared with.
        push_rules.check(compared, compared.version if is_same else number, known, str(folder))
        version = _publish(source, folder, record, files, signing, is_trial=is_trial)
        if any(map(compared.is_model, known)):
            _write_rolled_back(folder, [each for each in known if not compared.is_model(each)])
        return version


def rollback(
    folder: Path, to: int | None = None, *, signing: SigningSettings = UNSIGNED
) -> pushed.PushedVersion:
    """Publishes a former version anew, as the next one, so that every server goes back to it.

    The model that is left is remembered, so that the run which made it does not push it again.

    Args:
        folder: the folder of the model's versions.
        to: the version to go back to. If None, that is the newest whole one where the highest is
            broken; else the last one that is another model than the present one. A version that
            came of a rollback stands for the one that it restored.
        signing: who signs the new version.

    Returns:
        The new version.

    Raises:
        UserError: see `rollback_plan.plan`, or it cannot be signed as it must be here.
        OSError: the folder cannot be read or written.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no pushed version to go back to.")
    with locked(folder):
        versions = pushed.versions(folder.parent, folder.name)
        plan = rollback_plan.plan(
            versions,
            to,
            rolled_back.read(folder),
            verify=lambda each: pushed.verify(each.path),
            place=str(folder),
        )
        require_signing(signing)
        # First, so that a rollback that is cut short is not undone by the next run either.
        _write_rolled_back(folder, plan.rolled_back)
        return _publish(plan.chosen.path, folder, plan.record, plan.files, signing)


def check_examined(examined: Mapping[str, str], found: Mapping[str, str], place: str) -> None:
    """Checks that a model is, byte for byte, the one that was examined.

    Args:
        examined: SHA-256 by file.
        found: what is there.
        place: its folder, for the message.

    Raises:
        UserError: a file differs.
    """
    if problems := differences(examined, found, "the blessing"):
        more = f" (and {len(problems) - 1} more files)" if len(problems) > 1 else ""
        raise UserError(
            f"{place}/{problems[0]}{more}. This is not the model that was examined, so that it "
            "is not pushed. Remove the folder of this artifact and run again: the model is then "
            "trained anew."
        )


def require_signing(signing: SigningSettings) -> None:
    """Checks that a version which is published here will be signed where it must be.

    Raises:
        UserError: a signature is required, and nobody signs.
    """
    if signature.required() and signing.method == "none":
        raise UserError(
            f"{signature.VERIFY_KEY} is set, so that each version must be signed, and nothing says "
            "who signs this one. Nothing was published. Give --set push.signing.method=key --set "
            "push.signing.private_key=FILE, or a --config that has them."
        )


def _is_signed_enough(version: Path, signing: SigningSettings) -> bool:
    return signing.method == "none" or signature.is_signed(version)


def _write_rolled_back(folder: Path, versions: Iterable[RolledBack]) -> None:
    write_text(folder / rolled_back.ROLLED_BACK, rolled_back.to_json(versions))


def _publish(
    source: Path,
    folder: Path,
    record: Mapping[str, Any],
    files: Mapping[str, str],
    signing: SigningSettings,
    *,
    is_trial: bool = False,
) -> pushed.PushedVersion:
    if not is_trial:
        require_signing(signing)
    highest = pushed.latest(folder.parent, folder.name)
    version = push_rules.next_version(
        int(time.time()), highest.version if highest else 0, str(folder)
    )
    unfinished = folder / f"{_UNFINISHED}{version}"
    try:
        for name in files:
            (unfinished / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, unfinished / name)
        check_examined(files, pushed.sums(unfinished), str(source))
        manifest = {
            "name": folder.name,
            "version": version,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            **record,
            "files": files,
        }
        text = json.dumps(manifest, indent=2, allow_nan=False) + "\n"
        (unfinished / pushed.MANIFEST).write_text(text, encoding="utf-8")
        sign(unfinished, signing)
        # By the key that servers have here: what they would refuse is not published.
        if not is_trial and (problems := pushed.verify(unfinished)):
            raise UserError(f"{problems[0]}. Nothing was published.")
        sync_tree(unfinished)
        final = folder / str(version)
        unfinished.rename(final)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    sync(folder)
    return pushed.PushedVersion(version, final)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds a push folder until the block ends: nobody else pushes, rolls back or cleans there.

    Two pushes into one folder would take each other's unfinished copy for a leftover.

    Args:
        folder: the folder of a model's versions.

    Raises:
        OSError: the folder cannot be written.
    """
    with (folder / _LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
