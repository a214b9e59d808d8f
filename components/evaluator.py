"""Evaluator: evaluates a model on the split ``test`` and blesses it, always with a verdict.

TFX's executor computes the metrics; the verdict is `evaluation.refusals`, because TFMA's own names
no reason, passes over a share of undecodable images, and is not written at all when something is
undefined.
"""

import json
import logging
import os
from typing import Any, Final

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto.config_pb2 import EvalConfig
from tfx import types
from tfx.components.evaluator import constants
from tfx.components.evaluator import executor as tfx_executor
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, component_spec, standard_artifacts
from tfx.utils import path_utils, proto_utils

from components import baseline, evaluation_sample, example_counts, model_sums
from components.baseline_fit import misfit, record_of, try_out
from components.code_version import code_version
from components.evaluation import (
    BASELINE_VERSION,
    EVALUATION,
    NOTES,
    OVERALL,
    REASONS,
    Evaluation,
    Metrics,
    evaluation_json,
    refusals,
)
from components.evaluation_metrics import eval_config, read_metrics
from components.evaluation_settings import EvaluationSettings
from components.local_copies import local_copies
from transform_module import features

_EXTRACTORS: Final = "components.evaluation_extractors"

_LOG = logging.getLogger(__name__)


class EvaluatorSpec(component_spec.ComponentSpec):
    """What goes in and out of an Evaluator."""

    PARAMETERS = {  # noqa: RUF012
        "settings": component_spec.ExecutionParameter(type=str),
        "code": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "baseline_model": component_spec.ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS = {  # noqa: RUF012
        "evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class Executor(tfx_executor.Executor):
    """TFX's executor for the metrics, without thresholds; the verdict and its record are ours."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluates the model, beside the baseline where there is one that fits.

        Args:
            input_dict: ``examples``, ``model``, ``baseline_model``: one artifact each.
            output_dict: ``evaluation`` gets TFMA's results, ``evaluation.json`` and
                ``sample.jsonl``; ``blessing`` gets TFX's marks, the property
                ``reasons``, and the sums and the digest of the model.
            exec_properties: ``settings``, an EvaluationSettings as JSON.

        Raises:
            UserError: The model is not what was trained, or the baseline fits and fails.
            Exception: Any other failure. There is no verdict then.
        """
        settings = EvaluationSettings.model_validate_json(exec_properties["settings"])
        evaluation = artifact_utils.get_single_instance(output_dict["evaluation"])
        model = artifact_utils.get_single_instance(input_dict["model"])
        pushed = artifact_utils.get_single_instance(input_dict["baseline_model"])
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        example_counts.require_all(examples, [features.TEST])

        with local_copies(inputs=[model]):
            files = model_sums.examine(model)
        threshold = _threshold(model)
        sample = evaluation_sample.examples_of(examples)
        unfit = misfit(pushed, model)
        # An error from here on is never a verdict: it stops the run.
        if unfit:
            without = {key: value for key, value in input_dict.items() if key != "baseline_model"}
            self._compute_metrics(without, output_dict, eval_config(threshold))
            slices, reference = read_metrics(evaluation.uri), None
            note = f"Evaluated without a baseline: {unfit}."
            _LOG.warning(note)
        else:
            try_out(pushed, sample)
            config = eval_config(threshold, baseline_threshold=_threshold(pushed))
            self._compute_metrics(input_dict, output_dict, config)
            slices = read_metrics(evaluation.uri, tfma.CANDIDATE_KEY)
            reference = read_metrics(evaluation.uri, tfma.BASELINE_KEY)[OVERALL]
            version = pushed.get_string_custom_property(baseline.VERSION)
            note = f"Compared with the pushed version {version}."

        broken = pushed.get_string_custom_property(baseline.BROKEN).splitlines()
        reasons = list(refusals(slices[OVERALL], reference, settings))
        outcome = Evaluation(
            threshold=threshold,
            blessed=not reasons,
            reasons=reasons,
            notes=[
                note,
                *(f"A pushed version is passed over: {each}." for each in broken),
                *_notes(slices[OVERALL]),
            ],
            slices=slices,
            baseline=reference,
        )
        _write(evaluation.uri, EVALUATION, evaluation_json(outcome))
        predicted = evaluation_sample.predict(path_utils.serving_model_path(model.uri), sample)
        _write(
            evaluation.uri, evaluation_sample.SAMPLE, evaluation_sample.to_lines(list(predicted))
        )
        evaluation.set_string_custom_property(NOTES, "\n".join(outcome.notes))
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        model_sums.record(blessing, files)
        _mark(blessing, model, pushed, outcome)

    def _compute_metrics(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        config: EvalConfig,
    ) -> None:
        super().Do(
            input_dict,
            output_dict,
            {
                "eval_config": proto_utils.proto_to_json(config),
                "example_splits": json.dumps([features.TEST]),
                "module_path": _EXTRACTORS,
            },
        )


class Evaluator(base_beam_component.BaseBeamComponent):
    """Evaluates a model, and says why where it does not bless it."""

    SPEC_CLASS = EvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        baseline_model: types.BaseChannel,
        settings: EvaluationSettings,
    ) -> None:
        """Constructs the component.

        Args:
            examples: Examples with the split ``test``, as they are before Transform.
            model: The model to evaluate.
            baseline_model: What Baseline made.
            settings: The bounds.
        """
        super().__init__(
            spec=EvaluatorSpec(
                examples=examples,
                model=model,
                baseline_model=baseline_model,
                settings=settings.model_dump_json(),
                code=code_version(__name__),
                evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
                blessing=types.Channel(type=standard_artifacts.ModelBlessing),
            )
        )


def _threshold(model: types.Artifact) -> float:
    return float(record_of(path_utils.serving_model_path(model.uri))["threshold"])


def _write(folder: str, name: str, text: str) -> None:
    # A cluster's launcher makes no folders; object storage needs none.
    fileio.makedirs(folder)
    with fileio.open(os.path.join(folder, name), "w") as file:
        file.write(text)


def _notes(overall: Metrics) -> list[str]:
    if not overall.invalid:
        return []
    return [
        f"{overall.invalid} images of the split {features.TEST} cannot be decoded by the model "
        "and count in no metric."
    ]


def _mark(
    blessing: types.Artifact, model: types.Artifact, pushed: types.Artifact, outcome: Evaluation
) -> None:
    """Marks the blessing as TFX's executor does, and adds the reasons."""
    blessing.set_string_custom_property(
        constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
    )
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    if outcome.baseline is not None:
        blessing.set_string_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, pushed.uri
        )
        blessing.set_int_custom_property(
            constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, pushed.id
        )
    version = pushed.get_string_custom_property(baseline.VERSION)
    blessing.set_string_custom_property(BASELINE_VERSION, version)
    name, value = (
        (constants.BLESSED_FILE_NAME, constants.BLESSED_VALUE)
        if outcome.blessed
        else (constants.NOT_BLESSED_FILE_NAME, constants.NOT_BLESSED_VALUE)
    )
    _write(blessing.uri, name, "")
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
    blessing.set_string_custom_property(REASONS, "\n".join(outcome.reasons))
    for reason in outcome.reasons:
        _LOG.warning("Not blessed: %s.", reason)
