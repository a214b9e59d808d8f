"""Pusher: publishes what is blessed, whole or not at all."""

import json
import logging
from pathlib import Path
from typing import Any, Final

import tensorflow as tf
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import Artifact
from tfx.types.standard_artifacts import InfraBlessing, Model, ModelBlessing, PushedModel
from tfx.utils import path_utils

from components.artifacts import model_sums
from components.artifacts.local_copies import local_copies
from components.artifacts.recipe import recipe
from components.artifacts.shared_record import without_places
from components.evaluator.evaluation import BASELINE_VERSION, REASONS
from serving.versions.push import check_examined, push
from serving.versions.push_remote import push_remotely
from serving.versions.push_rules import Compared, PushRefused
from serving.versions.signing import SigningSettings
from transform_module import contract
from transform_module.errors import UserError
from transform_module.files.remote import is_remote
from transform_module.files.sums import sums

PUSHED: Final = "pushed"
"""Custom property of the pushed model: 1 when the model is in the push folder, else 0."""

PUSHED_VERSION: Final = "pushed_version"
"""Custom property of the pushed model: its version, where it is pushed."""

PUSHED_DESTINATION: Final = "pushed_destination"
"""Custom property of the pushed model: its version's folder, where it is pushed."""

REASON: Final = "reason"
"""Custom property of the pushed model: why it is not pushed, or an empty string."""

_LOG = logging.getLogger(__name__)


@component
def Pusher(
    model: InputArtifact[Model],
    model_blessing: InputArtifact[ModelBlessing],
    infra_blessing: InputArtifact[InfraBlessing],
    pushed_model: OutputArtifact[PushedModel],
    push_dir: Parameter[str],
    model_name: Parameter[str],
    configuration: Parameter[str],
) -> None:
    """Publishes a blessed model at ``{push_dir}/{model_name}/{version}``.

    What is pushed is, byte for byte, what the Evaluator and the ServingCheck examined. It succeeds
    where a model is not to be pushed. It can run again at any time: give it no cache, since the
    push folder may have changed.

    Args:
        model: the model.
        model_blessing: what Evaluator made.
        infra_blessing: what ServingCheck or TFX's InfraValidator made.
        pushed_model: gets the outcome as its properties.
        push_dir: the push folder.
        model_name: the model's name in it.
        configuration: the pipeline's configuration as JSON, for the manifest.

    Raises:
        UserError: the model is not the one that was examined, or the push folder cannot be read or
            written.
    """
    reason, made = _refusal(model_blessing=model_blessing, infra_blessing=infra_blessing), None
    if not reason:
        folder = f"{push_dir}/{model_name}"
        try:
            made = _push(model, model_blessing, infra_blessing, folder, json.loads(configuration))
        except PushRefused as refused:
            reason = str(refused)
    pushed_model.set_int_custom_property(PUSHED, int(not reason))
    pushed_model.set_string_custom_property(REASON, reason)
    if made is None:
        _LOG.warning("The model is not pushed: %s.", reason)
        return
    version, path = made
    pushed_model.set_string_custom_property(PUSHED_VERSION, str(version))
    pushed_model.set_string_custom_property(PUSHED_DESTINATION, path)
    _LOG.info("Pushed the model to %s.", path)


def _refusal(**blessings: Artifact) -> str:
    """Returns which blessing says no, and why; empty when both hold."""
    for name, blessing in blessings.items():
        if not blessing.get_int_custom_property("blessed"):
            reasons = blessing.get_string_custom_property(REASONS).splitlines()
            return "; ".join([f"its {name} says no", *reasons])
    return ""


def _push(
    model: Artifact,
    model_blessing: Artifact,
    infra_blessing: Artifact,
    folder: str,
    configuration: dict[str, Any],
) -> tuple[int, str]:
    """Returns the version and its path."""
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
        signing = SigningSettings.model_validate(configuration["push"].get("signing", {}))
        try:
            if is_remote(folder):
                return push_remotely(source, folder, record, compared, signing=signing)
            pushed = push(source, Path(folder), record, compared, signing=signing)
        except (OSError, tf.errors.OpError) as error:
            raise UserError(
                f"{folder}: the model cannot be pushed here ({error}). Nothing was published. "
                "Free or unlock the folder, or choose another push folder, and run again."
            ) from error
        return pushed.version, str(pushed.path)
