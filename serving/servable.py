"""One loaded version of a model, with its signatures and their queues."""

import asyncio
import functools
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from grpc import StatusCode
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

from components import pushed
from components.errors import UserError
from serving import proto_tensors
from serving.batching import Batcher, Tensors
from serving.batching_settings import BatchingSettings
from serving.status import RequestError, invalid
from transform_module import features

_SERVE_TAG: Final = "serve"
_INITIALIZER: Final = "__saved_model_init_op"
_GRAPH: Final = "saved_model.pb"
_IN: Final = {features.IMAGE_BYTES: tf.string}
_OUT: Final = {
    features.PROBABILITY: tf.float32,
    features.PREDICTED_LABEL: tf.string,
    features.VALID: tf.bool,
}
# Models that were pushed before there was a domain lack these.
_LATER_OUT: Final = {features.IN_DOMAIN: tf.bool, features.DOMAIN_DISTANCE: tf.float32}


@dataclass(frozen=True)
class Signature:
    """What goes in and out of a signature.

    Attributes:
        definition: as the SavedModel holds it.
        inputs: dtype and shape by name; the first dimension is the batch.
        outputs: dtype and shape by name.
    """

    definition: meta_graph_pb2.SignatureDef
    inputs: Mapping[str, tf.TensorSpec]
    outputs: Mapping[str, tf.TensorSpec]

    @functools.cached_property
    def joinable(self) -> bool:
        """Whether the rows of several requests can be computed as one batch."""
        return all(
            spec.shape.rank and spec.shape[0] is None
            for spec in (*self.inputs.values(), *self.outputs.values())
        )


class Servable:
    """A loaded version.

    Attributes:
        version: its number.
        path: its folder.
        signatures: by name.
    """

    def __init__(
        self,
        path: Path,
        settings: BatchingSettings,
        executor: Executor,
        slots: asyncio.Semaphore,
    ) -> None:
        """Loads and warms up a version, which takes seconds; see `check` for what to do before.

        Args:
            path: the version's folder, whose name is its number.
            settings: of the signatures' queues.
            executor: where batches are computed.
            slots: of which each running batch holds one.

        Raises:
            UserError: it does not load, or fails at its own warm-up requests.
        """
        self.path = path
        self.version = int(path.name)
        self._in_flight = 0
        try:
            self.signatures = _signatures(path)
            # Held, because its signatures lose their variables without it.
            self._loaded = tf.saved_model.load(str(path))
            requests = sorted(_warm_up_requests(path), key=_size)
            # At its first call TensorFlow optimizes a graph, on one core: here, with few rows.
            first = dict(reversed(requests))
            for name, inputs in first.items():
                self.call(name, inputs)
            for name, inputs in reversed(requests):
                if inputs is not first[name]:
                    # There, so that they take turns with the requests of the version that serves
                    # now; the longest first, because the new version's first request waits for the
                    # last one.
                    executor.submit(self.call, name, inputs).result()
        except Exception as error:  # Damaged files fail in any way.
            raise UserError(f"{path}: cannot be loaded as a model: {error}") from error
        self._batchers = {
            name: Batcher(functools.partial(self.call, name), settings, executor, slots)
            for name in self.signatures
        }

    def call(self, signature: str, inputs: Tensors) -> Tensors:
        """Computes a batch at once, in the calling thread."""
        specs = self.signatures[signature].inputs
        out = self._loaded.signatures[signature](
            **{name: tf.constant(array, specs[name].dtype) for name, array in inputs.items()}
        )
        # A text alone is no array by itself.
        return {
            name: np.asarray(tensor.numpy(), tensor.dtype.as_numpy_dtype)
            for name, tensor in out.items()
        }

    async def run(self, signature: str, inputs: Tensors, deadline: float | None) -> Tensors:
        """Checks a request and computes it with others.

        Args:
            signature: its name.
            inputs: one array for each of the signature's inputs.
            deadline: on the event loop's clock, or None.

        Raises:
            RequestError: the inputs do not fit, or see `Batcher.submit`.
        """
        definition, batcher = self.signatures[signature], self._batchers[signature]
        _check_inputs(definition.inputs, inputs)
        rows = {len(array) if array.ndim else 0 for array in inputs.values()}
        self._in_flight += 1
        try:
            if definition.joinable and len(rows) == 1 and min(rows):
                return await batcher.submit(inputs, deadline)
            return await batcher.submit_alone(inputs, deadline)
        except tf.errors.InvalidArgumentError as error:
            raise invalid(error.message) from error
        except tf.errors.OpError as error:
            raise RequestError(StatusCode.INTERNAL, error.message) from error
        finally:
            self._in_flight -= 1

    async def drained(self) -> None:
        """Waits until every request that came has been answered."""
        while self._in_flight:
            await asyncio.sleep(0.01)


def check(path: Path) -> None:
    """Checks a version before it is loaded, because a SavedModel is code.

    Args:
        path: the version's folder.

    Raises:
        UserError: a file is missing, changed or was not pushed, the version was renamed, or the
            signature ``serving_default`` is not the one that the pipeline exports.
    """
    try:
        problems = pushed.verify(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error}") from error
    if problems:
        raise UserError(
            f"{problems[0]}"
            + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else "")
            + ". Push the model again, or allow unverified models if you trust who wrote this one."
        )
    try:
        signature = _signatures(path).get(features.SERVING_DEFAULT)
    except (OSError, TypeError, ValueError, DecodeError) as error:
        raise UserError(f"{path}: {_GRAPH} cannot be read: {error}") from error
    if signature is None:
        raise UserError(f"{path}: there is no signature {features.SERVING_DEFAULT}.")
    for side, specs, expected, later in (
        ("inputs", signature.inputs, _IN, {}),
        ("outputs", signature.outputs, _OUT, _LATER_OUT),
    ):
        found = {name: spec.dtype for name, spec in specs.items()}
        if found not in (expected, expected | later):
            raise UserError(
                f"{path}: the {side} of {features.SERVING_DEFAULT} must be {_told(expected)}, are "
                f"{_told(found)}."
            )


def _told(dtypes: Mapping[str, tf.DType]) -> str:
    return ", ".join(f"{name} ({dtype.name})" for name, dtype in sorted(dtypes.items()))


def _signatures(path: Path) -> dict[str, Signature]:
    saved = saved_model_pb2.SavedModel.FromString((path / _GRAPH).read_bytes())
    graphs = [graph for graph in saved.meta_graphs if _SERVE_TAG in graph.meta_info_def.tags]
    if not graphs:
        raise ValueError(f"there is no graph with the tag {_SERVE_TAG}")
    return {
        name: Signature(definition, _specs(definition.inputs), _specs(definition.outputs))
        for name, definition in sorted(graphs[0].signature_def.items())
        if name != _INITIALIZER
    }


def _specs(tensors: Mapping[str, Any]) -> dict[str, tf.TensorSpec]:
    return {
        name: tf.TensorSpec(tf.TensorShape(info.tensor_shape), tf.as_dtype(info.dtype))
        for name, info in tensors.items()
    }


def _warm_up_requests(path: Path) -> Iterator[tuple[str, Tensors]]:
    file = path / features.WARMUP_REQUESTS
    if not file.is_file():
        return
    for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        if request.inputs:
            yield (
                request.model_spec.signature_name or features.SERVING_DEFAULT,
                {
                    name: proto_tensors.to_array(name, proto)
                    for name, proto in request.inputs.items()
                },
            )


def _size(request: tuple[str, Tensors]) -> int:
    return sum(array.size for array in request[1].values())


def _check_inputs(specs: Mapping[str, tf.TensorSpec], inputs: Tensors) -> None:
    extra, missing = sorted(inputs.keys() - specs), sorted(specs.keys() - inputs.keys())
    if extra or missing:
        raise invalid(
            f"input size does not match signature: {len(inputs)}!={len(specs)}. "
            f"Sent extra: {{{','.join(extra)}}}. Missing but required: {{{','.join(missing)}}}."
        )
    for name, array in inputs.items():
        dtype = tf.as_dtype(array.dtype)
        if dtype != specs[name].dtype:
            raise invalid(
                f"Expects input {name} to be {specs[name].dtype.name} but {dtype.name} is provided"
            )
        if not specs[name].shape.is_compatible_with(array.shape):
            raise invalid(
                f"Expects input {name} to have the shape {specs[name].shape} but "
                f"{list(array.shape)} is provided"
            )
