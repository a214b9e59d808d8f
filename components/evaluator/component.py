"""Evaluator: evaluates a model on the split ``test`` and blesses it, always with a verdict.

TFMA predicts and computes the metrics; the verdict is `evaluation.refusals`, because TFMA's own
names no reason, passes over a share of undecodable images, and is not written at all when something
is undefined. The predictions are kept: nothing after this component predicts the split again.
"""

import functools
import logging
import os
from typing import Final

import apache_beam as beam
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto.config_pb2 import EvalConfig
from tfx import types
from tfx.components.evaluator import constants
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples, Model, ModelBlessing, ModelEvaluation
from tfx.utils import io_utils, path_utils
from tfx_bsl.public import tfxio

from components.artifacts import example_counts, model_sums
from components.artifacts.local_copies import local_copies
from components.baseline.component import BROKEN, VERSION
from components.baseline.fit import misfit, record_of, try_out
from components.evaluator import predictions
from components.evaluator.evaluation import (
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
from components.evaluator.extractors import extractors
from components.evaluator.settings import EvaluationSettings
from components.evaluator.tfma_metrics import eval_config, read_metrics
from components.hashed import hashed
from transform_module import contract
from transform_module.files.sums import digest

_TELEMETRY: Final = ("cxr", "Evaluator")

_LOG = logging.getLogger(__name__)


@hashed
@component(use_beam=True)
def Evaluator(
    examples: InputArtifact[Examples],
    model: InputArtifact[Model],
    baseline_model: InputArtifact[Model],
    evaluation: OutputArtifact[ModelEvaluation],
    blessing: OutputArtifact[ModelBlessing],
    settings: Parameter[str],
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Evaluates the model, beside the baseline where there is one that fits.

    TFMA runs without thresholds; the verdict and its record are ours.

    Args:
        examples: examples with the split ``test``, as they are before Transform.
        model: the model to evaluate.
        baseline_model: what Baseline made.
        evaluation: gets TFMA's results, ``evaluation.json`` and ``predictions.jsonl``.
        blessing: gets TFX's marks, the property ``reasons``, and the sums and the digest of the
            model.
        settings: the bounds, EvaluationSettings as JSON.
        beam_pipeline: TFX's, which TFMA runs in.

    Raises:
        UserError: the model is not what was trained, the baseline fits and fails, or not every
            image has a prediction.
        Exception: any other failure. There is no verdict then.
    """
    bounds = EvaluationSettings.model_validate_json(settings)
    example_counts.require_all(examples, [contract.TEST])
    with local_copies(inputs=[model]):
        files = model_sums.examine(model)
    threshold = _threshold(model)
    unfit = misfit(baseline_model, model)
    compute = functools.partial(_compute, beam_pipeline, examples, evaluation)
    # An error from here on is never a verdict: it stops the run.
    if unfit:
        models = predictions.Models(digest(files))
        compute([model], eval_config(threshold), models)
        slices, reference = read_metrics(evaluation.uri), None
        note = f"Evaluated without a baseline: {unfit}."
        _LOG.warning(note)
    else:
        try_out(baseline_model, examples)
        version = baseline_model.get_string_custom_property(VERSION)
        models = predictions.Models(digest(files), version, _threshold(baseline_model))
        config = eval_config(threshold, baseline_threshold=models.baseline_threshold)
        compute([model, baseline_model], config, models)
        slices = read_metrics(evaluation.uri, tfma.CANDIDATE_KEY)
        reference = read_metrics(evaluation.uri, tfma.BASELINE_KEY)[OVERALL]
        note = f"Compared with the pushed version {version}."
    predictions.read(evaluation, model, examples)

    broken = baseline_model.get_string_custom_property(BROKEN).splitlines()
    reasons = list(refusals(slices[OVERALL], reference, bounds))
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
    evaluation.set_string_custom_property(NOTES, "\n".join(outcome.notes))
    model_sums.record(blessing, files)
    _mark(blessing, model, baseline_model, outcome)


def _compute(
    beam_pipeline: beam.Pipeline,
    examples: types.Artifact,
    evaluation: types.Artifact,
    compared: list[types.Artifact],
    config: EvalConfig,
    models: predictions.Models,
) -> None:
    """Predicts the split; writes the metrics and the predictions."""
    paths = [path_utils.serving_model_path(each.uri) for each in compared]
    shared = [
        tfma.default_eval_shared_model(path, model_name=spec.name, eval_config=config)
        for path, spec in zip(paths, config.model_specs, strict=True)
    ]
    split = artifact_utils.get_split_uri([examples], contract.TEST)
    records = tfxio.TFExampleRecord(
        io_utils.all_files_pattern(split),
        raw_record_column_name=tfma.ARROW_INPUT_COLUMN,
        telemetry_descriptors=list(_TELEMETRY),
    )
    record = functools.partial(predictions.write, folder=evaluation.uri, models=models)
    with beam_pipeline:
        _ = (
            beam_pipeline
            | "Read" >> records.BeamSource()
            | "Evaluate"
            >> tfma.ExtractEvaluateAndWriteResults(
                eval_shared_model=shared,
                eval_config=config,
                extractors=extractors(shared, config, record),
                output_path=evaluation.uri,
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
        f"{overall.invalid} images of the split {contract.TEST} cannot be decoded by the model "
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
    version = pushed.get_string_custom_property(VERSION)
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
