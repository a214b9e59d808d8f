"""Whether the model that is pushed now can still be compared with a new one."""

import json
import os
from typing import Any

import tensorflow as tf
from tfx import types
from tfx.dsl.io import fileio
from tfx.utils import path_utils

from components import baseline
from transform_module import features


def misfit(pushed: types.Artifact, model: types.Artifact) -> str:
    """Tells why the baseline cannot be compared with a model.

    Args:
        pushed: What Baseline made.
        model: The model to judge.

    Returns:
        The reason: there is none, it does not load, it has no ``serve_examples``, or it tells
        other labels or no threshold. Empty when it fits.
    """
    if not pushed.get_int_custom_property(baseline.PRESENT):
        return pushed.get_string_custom_property(baseline.REASON)
    path = path_utils.serving_model_path(pushed.uri)
    try:
        signatures = tf.saved_model.load(path).signatures
    except Exception as error:  # noqa: BLE001 - a broken model fails in many ways.
        return f"the pushed model cannot be loaded ({first_line(error)})"
    if features.SERVE_EXAMPLES not in signatures:
        return f"the pushed model has no signature {features.SERVE_EXAMPLES}"
    theirs, ours = record_of(path), record_of(path_utils.serving_model_path(model.uri))
    if theirs.get("labels") != ours.get("labels"):
        return (
            f"the pushed model has labels {theirs.get('labels')!r}, this one {ours.get('labels')!r}"
        )
    if "threshold" not in theirs:
        return "the pushed model tells no operating threshold"
    return ""


def record_of(path: str) -> dict[str, Any]:
    """Reads what a SavedModel tells of itself; nothing where it tells nothing that can be read."""
    try:
        with fileio.open(os.path.join(path, features.MODEL_RECORD), "rb") as file:
            record = json.load(file)
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def first_line(error: Exception) -> str:
    """Returns the first line of an error's message, or its type where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
