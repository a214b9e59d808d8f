"""ServingCheck: serves a model before it is pushed, and blesses it or says what differs."""

import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, component_spec, standard_artifacts
from tfx.utils import path_utils

from components.artifacts import example_images, model_sums
from components.artifacts.local_copies import local_copies
from components.code_version import code_version
from components.evaluator import predictions
from components.evaluator.evaluation import REASONS
from components.serving_check.settings import ServingCheckSettings
from components.serving_check.trial import Question, try_serving
from serving import strict_json

SAMPLE: Final = 128
"""The number of images that are requested: the first ones predicted, of both classes."""

REPORT: Final = "serving_check.json"
"""The file within the InfraBlessing artifact with what was requested, measured and found."""

# As TFX's InfraValidator marks its blessing.
_BLESSED: Final = "blessed"
_FILES: Final = {True: "INFRA_BLESSED", False: "INFRA_NOT_BLESSED"}

_LOG = logging.getLogger(__name__)


class ServingCheckSpec(component_spec.ComponentSpec):
    """What goes in and out of a ServingCheck."""

    PARAMETERS = {  # noqa: RUF012
        "settings": component_spec.ExecutionParameter(type=str),
        "model_name": component_spec.ExecutionParameter(type=str),
        "images": component_spec.ExecutionParameter(type=str),
        "quarantine": component_spec.ExecutionParameter(type=str),
        "code": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
    }
    OUTPUTS = {  # noqa: RUF012
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing),
    }


class Executor(base_executor.BaseExecutor):
    """Tries the model, and marks what came of it."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component. A model that is refused is no error; one that cannot be tried is.

        Args:
            input_dict: ``model``, ``examples``, ``evaluation``: one artifact each.
            output_dict: ``blessing`` gets TFX's marks, the property ``reasons``,
                ``serving_check.json``, and the sums and the digest of the model.
            exec_properties: as the component's parameters.

        Raises:
            UserError: the model is not what was trained, the predictions are not those of this
                model and these examples, or the server did not start, ended or could not be
                reached: no verdict on the model.
        """
        model, examples, evaluation = (
            artifact_utils.get_single_instance(input_dict[name])
            for name in ("model", "examples", "evaluation")
        )
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        with local_copies(inputs=(model, evaluation), outputs=(blessing,)):
            self._check(model, examples, evaluation, blessing, exec_properties)

    def _check(
        self,
        model: types.Artifact,
        examples: types.Artifact,
        evaluation: types.Artifact,
        blessing: types.Artifact,
        exec_properties: dict[str, Any],
    ) -> None:
        files = model_sums.examine(model)
        sample = predictions.read(evaluation, model, examples).images[:SAMPLE]
        images = example_images.contents(examples, [predicted.path for predicted in sample])
        trial = try_serving(
            Path(path_utils.serving_model_path(model.uri)),
            files,
            exec_properties["model_name"],
            [Question(images[predicted.path], predicted) for predicted in sample],
            ServingCheckSettings.model_validate_json(exec_properties["settings"]),
            images=Path(exec_properties["images"]),
            quarantine=Path(exec_properties["quarantine"]),
        )
        folder = Path(blessing.uri)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / REPORT).write_text(
            strict_json.dumps(asdict(trial), indent=2) + "\n", encoding="utf-8"
        )
        model_sums.record(blessing, files)
        blessed = not trial.reasons
        (folder / _FILES[blessed]).touch()
        blessing.set_int_custom_property(_BLESSED, int(blessed))
        blessing.set_string_custom_property(REASONS, "\n".join(trial.reasons))
        for reason in trial.reasons:
            _LOG.warning("Not blessed: %s.", reason)


class ServingCheck(base_component.BaseComponent):
    """Blesses a model that can be served, as TFX's InfraValidator does, and says why if not."""

    SPEC_CLASS = ServingCheckSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        evaluation: types.BaseChannel,
        settings: ServingCheckSettings,
        model_name: str,
        images: str,
        quarantine: str,
    ) -> None:
        """Constructs the component.

        Args:
            model: The model to check.
            examples: Examples with the split ``test``, as they are before Transform.
            evaluation: What Evaluator made, with its predictions.
            settings: The bounds.
            model_name: The model's name in URLs.
            images: Folder that the examples were made from; what is not there is not asked.
            quarantine: The conversion's list of the files that were kept out; need not be there.
        """
        super().__init__(
            spec=ServingCheckSpec(
                model=model,
                examples=examples,
                evaluation=evaluation,
                settings=settings.model_dump_json(),
                model_name=model_name,
                images=images,
                quarantine=quarantine,
                code=code_version(__name__),
                blessing=types.Channel(type=standard_artifacts.InfraBlessing),
            )
        )
