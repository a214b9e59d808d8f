"""Baseline: the model that is pushed now, as an artifact that the Evaluator compares with."""

import logging
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import tensorflow as tf
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import artifact_utils, component_spec, standard_artifacts
from tfx.utils import path_utils

from components.artifacts import model_sums
from components.artifacts.local_copies import local_copies
from components.code_version import code_version
from serving.files.linking import link
from serving.files.remote import is_remote
from serving.versions import push_remote, pushed
from transform_module.errors import UserError

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


class BaselineSpec(component_spec.ComponentSpec):
    """What goes in and out of a Baseline."""

    PARAMETERS = {  # noqa: RUF012
        "push_dir": component_spec.ExecutionParameter(type=str),
        "model_name": component_spec.ExecutionParameter(type=str),
        "version": component_spec.ExecutionParameter(type=str),
        "code": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "trained": component_spec.ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS = {  # noqa: RUF012
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
    }


class Executor(base_executor.BaseExecutor):
    """Puts the pushed version into the output, or the reason why there is none."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component.

        The baseline is the newest whole version. Where that is, byte for byte, the trained model,
        it is what that version was compared with, so that a repeated run comes to the same verdict.

        Args:
            input_dict: ``trained``, the model that is to be compared.
            output_dict: ``model``, one Model.
            exec_properties: ``push_dir`` and ``model_name``.

        Raises:
            UserError: Versions are there and none of them is whole, or the folder cannot be read.
        """
        trained = artifact_utils.get_single_instance(input_dict["trained"])
        model = artifact_utils.get_single_instance(output_dict["model"])
        folder = f"{exec_properties['push_dir']}/{exec_properties['model_name']}"
        with (
            local_copies(outputs=[model]),
            TemporaryDirectory(prefix="baseline-") as place,
        ):
            try:
                found = _newest(folder, Path(place))
                version = pushed.chosen(found, folder)
                if version and _files(version) == model_sums.trained(trained):
                    version, reason = _former(version, folder, Path(place))
                else:
                    reason = "" if version else f"nothing is pushed in {folder} yet"
                if version:
                    _take(version.path, Path(path_utils.serving_model_dir(model.uri)))
            except (OSError, tf.errors.OpError) as error:
                raise UserError(
                    f"{folder}: the pushed model cannot be read or copied ({error}), so that "
                    "nothing can be compared with it. Free or unlock the folder and run again."
                ) from error
        model.set_int_custom_property(PRESENT, int(version is not None))
        model.set_string_custom_property(REASON, reason)
        model.set_string_custom_property(VERSION, str(version.version) if version else "")
        model.set_string_custom_property(BROKEN, "\n".join(found.broken))
        for problem in found.broken:
            _LOG.warning("A pushed version is passed over: %s.", problem)
        if version:
            _LOG.info("The baseline is version %s in %s.", version.version, folder)
        else:
            _LOG.warning("There is no baseline: %s.", reason)


class Baseline(base_component.BaseComponent):
    """Makes the pushed version of a model available to the Evaluator.

    Its output holds a copy of its own, so that the node can be cached: what may change is in
    its parameters, unless that is `LATEST`. It needs no metadata store, and so runs on every
    orchestrator.
    """

    SPEC_CLASS = BaselineSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        trained: types.BaseChannel,
        push_dir: str | RuntimeParameter,
        model_name: str,
        version: str,
    ) -> None:
        """Constructs the component.

        Args:
            trained: The model that is to be compared.
            push_dir: The push folder.
            model_name: The model's name in it.
            version: For the cache: the pushed version that will be compared with, or an empty text
                when nothing is pushed; `LATEST` where that is not known yet. The push folder
                decides when the component runs.
        """
        model = types.Channel(type=standard_artifacts.Model)
        super().__init__(
            spec=BaselineSpec(
                trained=trained,
                push_dir=push_dir,
                model_name=model_name,
                version=version,
                code=code_version(__name__),
                model=model,
            )
        )


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
    for name in (*_files(pushed.PushedVersion(0, source)), pushed.MANIFEST):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        link(source / name, target / name)
    if problems := pushed.verify(target):
        raise UserError(f"{problems[0]}. The version changed while it was copied; run again.")
