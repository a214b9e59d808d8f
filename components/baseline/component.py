"""Baseline: the model that is pushed now, as an artifact that the Evaluator compares with."""

import logging
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import tensorflow as tf
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Model
from tfx.utils import path_utils

from components.artifacts import model_sums
from components.artifacts.local_copies import local_copies
from components.hashed import hashed
from serving.files.linking import link
from serving.versions import push_remote, pushed
from serving.versions.signature import SIGNATURE, is_signed
from transform_module.errors import UserError
from transform_module.files.remote import is_remote

LATEST: Final = "latest"
"""As the version: the one that is newest when the component runs."""

PRESENT: Final = "present"
"""Custom property of the model: 1 when it holds the pushed version, else 0."""

REASON: Final = "reason"
"""Custom property of the model: why there is no baseline, or an empty string."""

BROKEN: Final = "broken"
"""Custom property of the model: a line for each newer version that is not whole."""

VERSION: Final = "version"
"""Custom property of the model: the version taken, or an empty string."""

_LOG = logging.getLogger(__name__)


@hashed
@component
def Baseline(
    trained: InputArtifact[Model],
    model: OutputArtifact[Model],
    push_dir: Parameter[str],
    model_name: Parameter[str],
    version: Parameter[str],
) -> None:
    """Puts the pushed version into the output, or the reason why there is none.

    The baseline is the newest whole version. Where that is, byte for byte, the trained model, it is
    what that version was compared with, so that a repeated run comes to the same verdict. The
    output holds a copy of its own, so that the node can be cached: what may change is in its
    parameters, unless that is `LATEST`. It needs no metadata store, and so runs on every
    orchestrator.

    Args:
        trained: the model that is to be compared.
        model: the baseline.
        push_dir: the push folder.
        model_name: the model's name in it.
        version: for the cache: the pushed version that will be compared with, or an empty text
            when nothing is pushed; `LATEST` where that is not known yet. The push folder decides
            when the component runs.

    Raises:
        UserError: versions are there and none of them is whole, or the folder cannot be read.
    """
    del version
    folder = f"{push_dir}/{model_name}"
    with (
        local_copies(outputs=[model]),
        TemporaryDirectory(prefix="baseline-") as place,
    ):
        try:
            found = _newest(folder, Path(place))
            taken = pushed.chosen(found, folder)
            if taken and _files(taken) == model_sums.trained(trained):
                taken, reason = _former(taken, folder, Path(place))
            else:
                reason = "" if taken else f"nothing is pushed in {folder} yet"
            if taken:
                _take(taken.path, Path(path_utils.serving_model_dir(model.uri)))
        except (OSError, tf.errors.OpError) as error:
            raise UserError(
                f"{folder}: the pushed model cannot be read or copied ({error}), so that "
                "nothing can be compared with it. Free or unlock the folder and run again."
            ) from error
    model.set_int_custom_property(PRESENT, int(taken is not None))
    model.set_string_custom_property(REASON, reason)
    model.set_string_custom_property(VERSION, str(taken.version) if taken else "")
    model.set_string_custom_property(BROKEN, "\n".join(found.broken))
    for problem in found.broken:
        _LOG.warning("A pushed version is passed over: %s.", problem)
    if taken:
        _LOG.info("The baseline is version %s in %s.", taken.version, folder)
    else:
        _LOG.warning("There is no baseline: %s.", reason)


def _files(version: pushed.PushedVersion) -> dict[str, str]:
    """Returns the sums of a whole version's files."""
    return dict((version.manifest or {})["files"])


def _newest(folder: str, place: Path) -> pushed.Newest:
    if is_remote(folder):
        return push_remote.newest(folder, place / "newest")
    return pushed.newest(*os.path.split(folder))


def _former(
    version: pushed.PushedVersion, folder: str, place: Path
) -> tuple[pushed.PushedVersion | None, str]:
    """Finds what a version was compared with; the version itself where that is no longer whole.

    Returns:
        The version, or None and why there is none.
    """
    number = str((version.manifest or {}).get("baseline_version", ""))
    if not number:
        return None, f"version {version.version} in {folder} is this model, and was the first one"
    path = (
        push_remote.fetch(folder, number, place / "former")
        if is_remote(folder)
        else Path(folder, number)
    )
    if not pushed.version_number(number) or pushed.verify(path):
        return version, ""
    return pushed.PushedVersion(int(number), path), ""


def _take(source: Path, target: Path) -> None:
    """Brings the files of a version into a new folder."""
    signature = (SIGNATURE,) if is_signed(source) else ()
    for name in (*_files(pushed.PushedVersion(0, source)), pushed.MANIFEST, *signature):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        link(source / name, target / name)
    if problems := pushed.verify(target):
        raise UserError(f"{problems[0]}. The version changed while it was copied; run again.")
