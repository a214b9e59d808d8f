"""Checks whether the pushed model can be compared with a new one, by looking at it.

A model that does not fit is one of another kind: it has no ``serve_examples``, other labels or no
threshold. That is seen in its files before anything is computed. A model that should fit and fails
is never taken for one that does not: it stops the run.
"""

import json
import os
from typing import Any, Final

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tfx import types
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.artifacts.local_copies import local_copies
from components.baseline import component
from serving.versions import pushed
from transform_module import contract
from transform_module.errors import UserError

_SERVE_TAG: Final = "serve"
_IN: Final = {contract.EXAMPLES: tf.string}
_OUT: Final = {
    contract.PROBABILITY: tf.float32,
    contract.PREDICTED_LABEL: tf.string,
    contract.VALID: tf.bool,
}


def misfit(pushed_model: types.Artifact, model: types.Artifact) -> str:
    """Returns why the baseline cannot be compared with a model.

    Args:
        pushed_model: what Baseline made.
        model: the model to evaluate.

    Returns:
        The reason: there is none, it has another signature ``serve_examples`` or none, it has other
        labels or no threshold. Empty when it fits.

    Raises:
        UserError: the baseline is damaged.
    """
    if not pushed_model.get_int_custom_property(component.PRESENT):
        return pushed_model.get_string_custom_property(component.REASON)
    with local_copies(inputs=[pushed_model]):
        path = path_utils.serving_model_path(pushed_model.uri)
        if problems := pushed.verify(path):
            raise UserError(
                f"{problems[0]}. The copy of the pushed model is damaged, so that nothing can be "
                "compared with it. Remove the folder of this artifact and run again."
            )
        theirs, signature = record_of(path), _signature(path)
    if signature is None:
        return f"the pushed model has no signature {contract.SERVE_EXAMPLES}"
    for side, tensors, wanted in (
        ("inputs", signature.inputs, _IN),
        ("outputs", signature.outputs, _OUT),
    ):
        found = {name: tf.as_dtype(tensor.dtype) for name, tensor in tensors.items()}
        if not wanted.items() <= found.items() or (side == "inputs" and len(found) > len(wanted)):
            return f"the {side} of the pushed model's {contract.SERVE_EXAMPLES} are others"
    ours = record_of(path_utils.serving_model_path(model.uri))
    if theirs.get("labels") != ours.get("labels"):
        return (
            f"the pushed model has labels {theirs.get('labels')!r}, this one {ours.get('labels')!r}"
        )
    if not isinstance(theirs.get("threshold"), float | int):
        return "the pushed model has no operating threshold"
    return ""


def try_out(pushed_model: types.Artifact, examples: types.Artifact) -> None:
    """Lets a baseline that fits predict a batch, so that it fails with its own name.

    Args:
        pushed_model: what Baseline made.
        examples: what ImportExampleGen made.

    Raises:
        UserError: it cannot be loaded, or cannot evaluate them.
    """
    path = path_utils.serving_model_path(pushed_model.uri)
    try:
        loaded = tf.saved_model.load(path)
        signature = loaded.signatures[contract.SERVE_EXAMPLES]
        signature(**{contract.EXAMPLES: tf.constant(_first(examples), tf.string)})
    except (OSError, ValueError, tf.errors.OpError) as error:
        version = pushed_model.get_string_custom_property(component.VERSION)
        raise UserError(
            f"The pushed version {version} cannot evaluate this data ({first_line(error)}), so "
            "that the new model cannot be compared with it. Roll back to a version that can (cxr "
            "rollback --to), or push under another name (--set push.model_name=...)."
        ) from error


def record_of(path: str) -> dict[str, Any]:
    """Reads what a SavedModel records of itself; nothing where it has no record.

    Raises:
        UserError: the record is not valid JSON.
        tf.errors.OpError: the record is there and cannot be read.
    """
    place = os.path.join(path, contract.MODEL_RECORD)
    try:
        with tf.io.gfile.GFile(place, "rb") as file:
            record = json.loads(file.read())
    except tf.errors.NotFoundError:
        return {}
    except ValueError as error:
        # A model of another kind has no such file: this one is damaged.
        raise UserError(
            f"{place} is not JSON ({error}), so that the model cannot be compared. Roll back to "
            "another version (cxr rollback --to), or train this one anew."
        ) from error
    return record if isinstance(record, dict) else {}


def first_line(error: Exception) -> str:
    """Returns the first line of an error's message, or its type where it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _first(examples: types.Artifact) -> list[bytes]:
    """Returns the first examples of the split ``test``, at most a batch of them."""
    split = artifact_utils.get_split_uri([examples], contract.TEST)
    files = sorted(tf.io.gfile.glob(io_utils.all_files_pattern(split)))
    records = tf.data.TFRecordDataset(files, compression_type="GZIP")
    return list(records.take(contract.SERVING_BATCH_SIZES[-1]).as_numpy_iterator())


def _signature(path: str) -> meta_graph_pb2.SignatureDef | None:
    with tf.io.gfile.GFile(os.path.join(path, pushed.SAVED_MODEL), "rb") as file:
        content = file.read()
    try:
        saved = saved_model_pb2.SavedModel.FromString(content)
    except DecodeError as error:
        # Its sum is right: it was pushed so.
        raise UserError(
            f"{path}/{pushed.SAVED_MODEL} is not a SavedModel, so that nothing can be compared "
            "with the pushed model. Roll back to another version (cxr rollback --to)."
        ) from error
    graphs = [graph for graph in saved.meta_graphs if _SERVE_TAG in graph.meta_info_def.tags]
    for graph in graphs[:1]:
        if contract.SERVE_EXAMPLES in graph.signature_def:
            return graph.signature_def[contract.SERVE_EXAMPLES]
    return None
