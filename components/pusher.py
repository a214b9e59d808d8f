"""Pusher: publishes what is blessed, whole or not at all."""

import json
import logging
from pathlib import Path
from typing import Any, Final

import tensorflow as tf
from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import artifact_utils, component_spec, standard_artifacts
from tfx.utils import path_utils

from components.artifacts import model_sums
from components.artifacts.local_copies import local_copies
from components.artifacts.recipe import recipe
from components.artifacts.shared_record import without_places
from components.evaluator.evaluation import BASELINE_VERSION, REASONS
from serving.files.remote import is_remote
from serving.versions.push import check_examined, push
from serving.versions.push_remote import push_remotely
from serving.versions.push_rules import Compared, PushRefused
from transform_module import contract
from transform_module.errors import UserError
from transform_module.files.sums import sums

BLESSINGS: Final = ("model_blessing", "infra_blessing")
"""The inputs that must say yes: the model is good enough, and it can be served."""

PUSHED: Final = "pushed"
"""Custom property of the pushed model: 1 when the model is in the push folder, else 0."""

PUSHED_VERSION: Final = "pushed_version"
"""Custom property of the pushed model: its version, where it is pushed."""

PUSHED_DESTINATION: Final = "pushed_destination"
"""Custom property of the pushed model: its version's folder, where it is pushed."""

REASON: Final = "reason"
"""Custom property of the pushed model: why it is not pushed, or an empty string."""

_LOG = logging.getLogger(__name__)


class PusherSpec(component_spec.ComponentSpec):
    """What goes in and out of a Pusher."""

    PARAMETERS = {  # noqa: RUF012
        "push_dir": component_spec.ExecutionParameter(type=str),
        "model_name": component_spec.ExecutionParameter(type=str),
        "configuration": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "model_blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
        "infra_blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing),
    }
    OUTPUTS = {  # noqa: RUF012
        "pushed_model": component_spec.ChannelParameter(type=standard_artifacts.PushedModel),
    }


class Executor(base_executor.BaseExecutor):
    """Checks the blessings, pushes, and marks what was done."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component. A model that is not to be pushed is no error.

        What is pushed is, byte for byte, what the Evaluator and the ServingCheck examined.

        Args:
            input_dict: ``model``, ``model_blessing`` and ``infra_blessing``, one artifact each.
            output_dict: ``pushed_model``, one PushedModel.
            exec_properties: As the component's parameters.

        Raises:
            UserError: The model is not the one that was examined, or the push folder cannot be read
                or written.
        """
        outcome = artifact_utils.get_single_instance(output_dict["pushed_model"])
        model = artifact_utils.get_single_instance(input_dict["model"])
        reason, pushed = _refusal(input_dict), None
        if not reason:
            try:
                pushed = self._push(model, input_dict, exec_properties)
            except PushRefused as refused:
                reason = str(refused)
        outcome.set_int_custom_property(PUSHED, int(not reason))
        outcome.set_string_custom_property(REASON, reason)
        if pushed is None:
            _LOG.warning("The model is not pushed: %s.", reason)
            return
        version, path = pushed
        outcome.set_string_custom_property(PUSHED_VERSION, str(version))
        outcome.set_string_custom_property(PUSHED_DESTINATION, path)
        _LOG.info("Pushed the model to %s.", path)

    def _push(
        self,
        model: types.Artifact,
        input_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> tuple[int, str]:
        folder = f"{exec_properties['push_dir']}/{exec_properties['model_name']}"
        configuration = json.loads(exec_properties["configuration"])
        (model_blessing,), (infra_blessing,) = (input_dict[key] for key in BLESSINGS)
        examined = model_sums.blessed(model_blessing)
        # TFX's InfraValidator records no digest; what the Evaluator examined bounds it then.
        if infra_blessing.get_string_custom_property(model_sums.DIGEST):
            check_examined(examined, model_sums.blessed(infra_blessing), infra_blessing.uri)
        version = model_blessing.get_string_custom_property(BASELINE_VERSION)
        model_uri = model.uri
        with local_copies(inputs=[model]):
            source = Path(path_utils.serving_model_path(model.uri))
            check_examined(examined, sums(source), path_utils.serving_model_path(model_uri))
            trained = json.loads((source / contract.MODEL_RECORD).read_text(encoding="utf-8"))
            record: dict[str, Any] = {
                **({"model_uri": model_uri} if is_remote(model_uri) else {}),
                "recipe": recipe(trained),
                "baseline_version": version,
                # What a submitted run has chosen anew is in the model's own record.
                "configuration": {
                    **without_places(configuration),
                    "trainer": trained["settings"],
                },
                "versions": trained["versions"],
            }
            compared = Compared(
                examined, version, record["recipe"], again=configuration["push"]["again"]
            )
            try:
                if is_remote(folder):
                    return push_remotely(source, folder, record, compared)
                pushed = push(source, Path(folder), record, compared)
            except (OSError, tf.errors.OpError) as error:
                raise UserError(
                    f"{folder}: the model cannot be pushed here ({error}). Nothing was published. "
                    "Free or unlock the folder, or choose another push folder, and run again."
                ) from error
            return pushed.version, str(pushed.path)


class Pusher(base_component.BaseComponent):
    """Publishes a blessed model at ``{push_dir}/{model_name}/{version}``.

    It cannot be made without both blessings, and can run again at any time: give it no cache, since
    the push folder may have changed.
    """

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        push_dir: str | RuntimeParameter,
        model_name: str,
        configuration: str,
    ) -> None:
        """Constructs the component.

        Args:
            model: The model.
            model_blessing: What Evaluator made.
            infra_blessing: What ServingCheck or TFX's InfraValidator made.
            push_dir: The push folder.
            model_name: The model's name in it.
            configuration: The pipeline's configuration as JSON, for the manifest.
        """
        super().__init__(
            spec=PusherSpec(
                model=model,
                model_blessing=model_blessing,
                infra_blessing=infra_blessing,
                push_dir=push_dir,
                model_name=model_name,
                configuration=configuration,
                pushed_model=types.Channel(type=standard_artifacts.PushedModel),
            )
        )


def _refusal(input_dict: dict[str, list[types.Artifact]]) -> str:
    """Returns which blessing is missing or says no; empty when both hold."""
    for key in BLESSINGS:
        if not input_dict.get(key):
            return f"there is no {key}"
        for artifact in input_dict[key]:
            if not artifact.get_int_custom_property("blessed"):
                reasons = artifact.get_string_custom_property(REASONS).splitlines()
                return "; ".join([f"its {key} says no", *reasons])
    return ""
