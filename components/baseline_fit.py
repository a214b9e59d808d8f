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
        other labels or uses another threshold. Empty when it fits.
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
    theirs, ours = _record(path), _record(path_utils.serving_model_path(model.uri))
    for key in ("labels", "threshold"):
        if theirs.get(key) != ours.get(key):
            return f"the pushed model has {key} {theirs.get(key)!r}, this one {ours.get(key)!r}"
    return ""


def _record(path: str) -> dict[str, Any]:
    try:
        with fileio.open(os.path.join(path, features.MODEL_RECORD), "rb") as file:
            record = json.load(file)
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def first_line(error: Exception) -> str:
    """Returns the first line of an error's message, or its type where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
