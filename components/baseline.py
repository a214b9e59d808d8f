"""Baseline: the model that is pushed now, as an artifact that the Evaluator compares with."""

import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import artifact_utils, component_spec, standard_artifacts
from tfx.utils import path_utils

from components import push_remote, pushed
from components.linking import link
from components.remote import is_remote, near

LATEST: Final = "latest"
"""As the version asked for: the one that is served when the component runs."""

PRESENT: Final = "present"
"""Custom property of the model: 1 when it holds the pushed version, else 0."""

REASON: Final = "reason"
"""Custom property of the model: why there is no baseline, or an empty string."""

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
    INPUTS: dict[str, component_spec.ChannelParameter] = {}  # noqa: RUF012
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
        """Runs the component. It succeeds whatever the push folder holds.

        Args:
            input_dict: Nothing.
            output_dict: ``model``, one Model.
            exec_properties: ``push_dir``, ``model_name``, and ``version``, which is `LATEST`, or
                empty when nothing is pushed.
        """
        model = artifact_utils.get_single_instance(output_dict["model"])
        version = exec_properties["version"]
        folder = f"{exec_properties['push_dir']}/{exec_properties['model_name']}"
        if version == LATEST:
            version = _latest(folder)
        if version:
            with near(outputs=[model]):
                reason = _take(folder, version, Path(path_utils.serving_model_dir(model.uri)))
        else:
            reason = f"nothing is pushed in {folder} yet"
        model.set_int_custom_property(PRESENT, int(not reason))
        model.set_string_custom_property(REASON, reason)
        model.set_string_custom_property(VERSION, version)
        if reason:
            _LOG.warning("There is no baseline: %s.", reason)
        else:
            _LOG.info("The baseline is version %s in %s.", version, folder)


class Baseline(base_component.BaseComponent):
    """Makes the pushed version of a model available to the Evaluator.

    Its output holds a copy of its own, so that the node can be cached: what may change stands in
    its parameters, unless that is `LATEST`. It needs no metadata store, and so runs on every
    orchestrator.
    """

    SPEC_CLASS = BaselineSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self, push_dir: str | RuntimeParameter, model_name: str, version: str, code: str = ""
    ) -> None:
        """Constructs the component.

        Args:
            push_dir: The push folder.
            model_name: The model's name in it.
            version: The pushed version to compare with, or `LATEST`; empty when nothing is pushed.
            code: Content hash of the code that runs, which TFX's cache does not see.
        """
        model = types.Channel(type=standard_artifacts.Model)
        super().__init__(
            spec=BaselineSpec(
                push_dir=push_dir, model_name=model_name, version=version, code=code, model=model
            )
        )


def _latest(folder: str) -> str:
    """Finds the version that is served; an empty text where nothing is pushed."""
    if is_remote(folder):
        found = push_remote.versions(folder)
    else:
        found = [each.version for each in pushed.versions(*os.path.split(folder))]
    return str(found[-1]) if found else ""


def _take(folder: str, version: str, target: Path) -> str:
    """Brings a pushed version into a new folder.

    Returns:
        Why that is no baseline, or an empty string.
    """
    if not is_remote(folder):
        return _link_version(Path(folder, version), target)
    with tempfile.TemporaryDirectory(prefix="baseline-") as place:
        reason = _link_version(push_remote.fetch(folder, version, Path(place)), target)
        return reason.replace(place, folder)


def _link_version(source: Path, target: Path) -> str:
    manifest = pushed.read_manifest(source)
    if manifest is None:
        return f"{source} is gone, or has no readable {pushed.MANIFEST}"
    try:
        for name in (*manifest["files"], pushed.MANIFEST):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            link(source / name, target / name)
        problems = pushed.verify(target)
    except OSError as error:
        problems = [str(error)]
    if problems:
        shutil.rmtree(target, ignore_errors=True)
        return f"{source} is broken ({'; '.join(problems)})"
    return ""
