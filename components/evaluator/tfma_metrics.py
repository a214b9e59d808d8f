"""Metrics that TFMA computes, and its results as our Metrics."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow_model_analysis as tfma

# tfma.EvalConfig and its parts are there only once TFX has been imported.
from tensorflow_model_analysis.proto import config_pb2

from components.evaluator.evaluation import OVERALL, Metrics
from transform_module import contract

# Bins of the expected calibration error, the usual number.
_BINS = 10
_OF_BOTH_CLASSES = ("auc", "pr_auc")
_SCALARS = ("accuracy", "sensitivity", "specificity", "calibration", "brier")


def eval_config(
    threshold: float, *, baseline_threshold: float | None = None
) -> config_pb2.EvalConfig:
    """Builds TFMA's configuration.

    Args:
        threshold: the model's operating threshold, in (0, 1].
        baseline_threshold: that of a second model, the baseline; None without one.

    Returns:
        Metrics overall and by subtype, of the signature ``serve_examples``.
    """
    if baseline_threshold is None:
        names, metrics_specs = [""], _metrics_specs(threshold)
    else:
        names = [tfma.CANDIDATE_KEY, tfma.BASELINE_KEY]
        metrics_specs = [
            *_metrics_specs(threshold, tfma.CANDIDATE_KEY),
            *_metrics_specs(baseline_threshold, tfma.BASELINE_KEY),
        ]
    return config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(
                name=name,
                is_baseline=name == tfma.BASELINE_KEY,
                # Explicit, because TFMA would otherwise try to load a Keras model first.
                model_type=tfma.TF_GENERIC,
                signature_name=contract.SERVE_EXAMPLES,
                # The images as the model sees them are measured.
                preprocessing_function_names=[contract.TRANSFORM_FEATURES]
                if name != tfma.BASELINE_KEY
                else [],
                prediction_key=contract.PROBABILITY,
                label_key=contract.LABEL,
                # Of fixed size, so that neither memory nor the last digits depend on the speed.
                inference_batch_size=contract.SERVING_BATCH_SIZES[-1],
            )
            for name in names
        ],
        slicing_specs=[
            config_pb2.SlicingSpec(),
            config_pb2.SlicingSpec(feature_keys=[contract.SUBTYPE]),
        ],
        metrics_specs=metrics_specs,
    )


def _metrics_specs(threshold: float, *model_names: str) -> list[config_pb2.MetricsSpec]:
    """The metrics of the models so named, or of the only one."""
    # TFMA calls a probability positive when it is above the threshold; the model, from the
    # threshold on, in float32.
    below = float(np.nextafter(np.float32(threshold), np.float32(0)))
    # By class name, because TFMA's BinaryAccuracy cannot be rebuilt from its own serialization.
    metrics: dict[str, tuple[str, dict[str, Any]]] = {
        "examples": ("ExampleCount", {}),
        "auc": ("AUC", {}),
        "pr_auc": ("AUCPrecisionRecall", {}),
        "accuracy": ("BinaryAccuracy", {"threshold": below}),
        "sensitivity": ("Recall", {"thresholds": below}),
        "specificity": ("Specificity", {"thresholds": below}),
        "confusion_matrix": ("ConfusionMatrixAtThresholds", {"thresholds": [below]}),
        "calibration": ("Calibration", {}),
        "brier": ("MeanSquaredError", {}),
        "calibration_plot": ("CalibrationPlot", {"num_buckets": _BINS}),
    }
    # The weight of a row says whether it counts (see evaluation_extractors).
    predicted = _spec(metrics, model_names)
    predicted.example_weights.weighted = True
    every_row = _spec({"rows": ("ExampleCount", {})}, model_names)
    every_row.example_weights.unweighted = True
    return [predicted, every_row]


def _spec(
    metrics: dict[str, tuple[str, dict[str, Any]]], model_names: Sequence[str]
) -> config_pb2.MetricsSpec:
    """A specification of metrics: name, and the class's name with its arguments."""
    return config_pb2.MetricsSpec(
        model_names=model_names,
        metrics=[
            config_pb2.MetricConfig(class_name=name, config=json.dumps({"name": key, **arguments}))
            for key, (name, arguments) in metrics.items()
        ],
    )


def read_metrics(path: str, model_name: str | None = None) -> dict[str, Metrics]:
    """Reads what TFMA found.

    Args:
        path: TFMA's output folder.
        model_name: TFMA's name of the model where it evaluated two, else None.

    Returns:
        The metrics by slice, the slice Overall first, which is there even without any example.
    """
    result = tfma.load_eval_result(path, model_name=model_name)
    plots = {_name(key): plot[""][""] for key, plot in result.plots}
    found = {
        _name(key): _metrics(values[""][""], plots.get(_name(key), {}))
        for key, values in result.slicing_metrics
    }
    overall = found.pop(OVERALL, Metrics())
    return {OVERALL: overall, **dict(sorted(found.items()))}


def _name(slice_key: tuple[tuple[str, Any], ...]) -> str:
    return ",".join(f"{feature}:{value}" for feature, value in slice_key) or OVERALL


def _metrics(values: dict[str, Any], plots: dict[str, Any]) -> Metrics:
    counts = values["confusion_matrix"]["confusionMatrixAtThresholds"]["matrices"][0]
    true_positives, false_positives, true_negatives, false_negatives = (
        round(counts.get(name, 0.0))
        for name in ("truePositives", "falsePositives", "trueNegatives", "falseNegatives")
    )
    examples = round(values["examples"]["doubleValue"])
    both = (true_positives + false_negatives) and (true_negatives + false_positives)
    return Metrics(
        examples=examples,
        invalid=round(values["rows"]["doubleValue"]) - examples,
        **{name: _number(values, name) if both else None for name in _OF_BOTH_CLASSES},
        true_positives=true_positives,
        false_positives=false_positives,
        true_negatives=true_negatives,
        false_negatives=false_negatives,
        ece=_expected_calibration_error(plots, examples),
        **{name: _number(values, name) for name in _SCALARS},
    )


def _number(values: dict[str, Any], name: str) -> float | None:
    number = float(values[name].get("doubleValue", math.nan))
    return number if math.isfinite(number) else None


def _expected_calibration_error(plots: dict[str, Any], examples: int) -> float | None:
    if not examples:
        return None
    buckets = plots["calibrationHistogramBuckets"]["buckets"]
    distance = sum(
        abs(
            float(bucket.get("totalWeightedRefinedPrediction", 0.0))
            - float(bucket.get("totalWeightedLabel", 0.0))
        )
        for bucket in buckets
    )
    return distance / examples
