"""One loaded version of a model, with its signatures and their queues."""

import asyncio
import functools
import logging
from collections.abc import Collection, Iterator, Mapping
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

from serving.images.encoding.encoding import images_of
from serving.server.admission import image_headers
from serving.server.admission.batching import Batcher, Tensors, check_response, check_rows
from serving.server.admission.batching_settings import BatchingSettings
from serving.server.admission.limits import Limits
from serving.server.protocols import proto_tensors, wire
from serving.server.status import RequestError, invalid, log_failure
from serving.versions import pushed
from serving.versions.signature import VERIFY_KEY, required
from transform_module import contract
from transform_module.errors import UserError

_LOG = logging.getLogger(__name__)

_SERVE_TAG: Final = "serve"
_INITIALIZER: Final = "__saved_model_init_op"
_GRAPH: Final = "saved_model.pb"
_IN: Final = {contract.IMAGE_BYTES: tf.string}
_OUT: Final = {
    contract.PROBABILITY: tf.float32,
    contract.PREDICTED_LABEL: tf.string,
    contract.VALID: tf.bool,
}
# Models that were pushed before there was a domain, or a triage, lack these.
_OUT_WITH_DOMAIN: Final = _OUT | {
    contract.IN_DOMAIN: tf.bool,
    contract.DOMAIN_DISTANCE: tf.float32,
}
_OUT_WITH_TRIAGE: Final = _OUT_WITH_DOMAIN | {contract.TRIAGE: tf.string}

_BATCH_PIXELS: Final = 2 * image_headers.FEW_PIXELS
"""Pixels that are decoded at once; a batch that runs cannot be stopped."""

_ADVICE: Final = (
    "Push the model again, or allow unverified models if you trust who wrote this one.",
    f"{VERIFY_KEY} says whose signature is required.",
)

_UNFIT: Final = "The model cannot compute this request: an input is not what the signature takes."


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


@dataclass(frozen=True)
class Work:
    """A request that was checked.

    Attributes:
        signature: its name.
        inputs: one array for each of the signature's inputs.
        pixels: [rows] int64, how many pixels each row's image has; empty where there are no images.
    """

    signature: str
    inputs: Tensors
    pixels: np.ndarray

    @functools.cached_property
    def total_pixels(self) -> int:
        """The pixels of all rows."""
        return int(self.pixels.sum())


@dataclass(frozen=True)
class Lanes:
    """Where batches are computed.

    Attributes:
        executor: of the batches of usual requests.
        slots: of which each running batch holds one.
        large: of the images that take seconds, one part of a request after the other.
        large_slot: which each running part holds.
    """

    executor: Executor
    slots: asyncio.Semaphore
    large: Executor
    large_slot: asyncio.Semaphore


class Servable:
    """A loaded version.

    Attributes:
        version: its number.
        path: its folder.
        signatures: by name.
    """

    def __init__(
        self, path: Path, settings: BatchingSettings, lanes: Lanes, limits: Limits
    ) -> None:
        """Loads and warms up a version, which takes seconds; see `check` for what to do before.

        Args:
            path: the version's folder, whose name is its number.
            settings: of the signatures' queues.
            lanes: where batches are computed.
            limits: of a request.

        Raises:
            UserError: it does not load, or fails at its own warm-up requests.
        """
        self.path = path
        self.version = int(path.name)
        self._settings = settings
        self._lanes = lanes
        self._limits = limits
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
                    lanes.executor.submit(self.call, name, inputs).result()
        except Exception as error:  # Damaged files fail in any way.
            raise UserError(f"{path}: cannot be loaded as a model: {error}") from error
        self._batchers = {
            name: Batcher(
                functools.partial(self.call, name),
                settings,
                lanes.executor,
                lanes.slots,
                limits.answer_bytes,
                _BATCH_PIXELS,
            )
            for name in self.signatures
        }

    def call(self, signature: str, inputs: Tensors) -> Tensors:
        """Computes a batch at once, in the calling thread.

        Images that the model does not decode are encoded for it here, within the bounds of what is
        decoded at once.
        """
        specs = self.signatures[signature].inputs
        if contract.IMAGE_BYTES in inputs and specs[contract.IMAGE_BYTES].dtype == tf.string:
            inputs = {**inputs, contract.IMAGE_BYTES: _encoded(inputs[contract.IMAGE_BYTES])}
        out = self._loaded.signatures[signature](
            **{name: tf.constant(array, specs[name].dtype) for name, array in inputs.items()}
        )
        # A text alone is not an array by itself.
        return {
            name: np.asarray(tensor.numpy(), tensor.dtype.as_numpy_dtype)
            for name, tensor in out.items()
        }

    def check_names(self, signature: str, names: Collection[str]) -> None:
        """Checks that a request has the inputs of a signature and no others.

        Raises:
            RequestError: it has not.
        """
        specs = self.signatures[signature].inputs
        extra, missing = set(names) - specs.keys(), specs.keys() - set(names)
        if extra or missing:
            raise invalid(
                f"The signature's inputs are {', '.join(sorted(specs))}; the request lacks "
                f"{len(missing)} of them and has {len(extra)} others."
            )

    def prepare(self, signature: str, inputs: Tensors) -> Work:
        """Checks a request, in microseconds for each row; runs in any thread.

        Args:
            signature: its name, one of `signatures`.
            inputs: one array for each of the signature's inputs.

        Raises:
            RequestError: the inputs do not fit, or exceed a limit.
        """
        definition = self.signatures[signature]
        self.check_names(signature, inputs)
        _check_inputs(definition.inputs, inputs)
        rows = {len(array) if array.ndim else 0 for array in inputs.values()}
        check_rows(max(rows, default=0), self._settings)
        pixels = _pixels(inputs)
        if pixels.sum() > self._limits.request_pixels:
            row = int(np.argmax(pixels.cumsum() > self._limits.request_pixels))
            raise invalid(
                f"Row {row}: with this image, the images of the request have more than the "
                f"{self._limits.request_pixels} pixels that this server takes in one request.",
                reason="pixels",
            )
        return Work(signature, inputs, pixels)

    async def run(self, work: Work, deadline: float | None) -> Tensors:
        """Computes a request, with others where it can be.

        Args:
            work: of `prepare`.
            deadline: on the event loop's clock, or None.

        Raises:
            RequestError: the model fails, or see `Batcher.submit`.
        """
        batcher = self._batchers[work.signature]
        rows = {len(array) if array.ndim else 0 for array in work.inputs.values()}
        outputs = _no_rows(self.signatures[work.signature]) if rows == {0} else None
        if outputs is not None:
            return outputs
        is_joinable = self.signatures[work.signature].joinable and len(rows) == 1 and min(rows)
        self._in_flight += 1
        try:
            if not is_joinable:
                return await batcher.submit_alone(work.inputs, deadline)
            if work.total_pixels <= image_headers.FEW_PIXELS:
                return await batcher.submit(work.inputs, deadline, work.pixels)
            return await self._run_large(work, deadline)
        except tf.errors.InvalidArgumentError as error:
            # TensorFlow's message quotes the input.
            raise invalid(_UNFIT) from error
        except tf.errors.OpError as error:
            log_failure(_LOG, error)
            raise RequestError(StatusCode.INTERNAL, "The model failed at this request.") from error
        finally:
            self._in_flight -= 1

    async def _run_large(self, work: Work, deadline: float | None) -> Tensors:
        """Computes a request whose images take seconds, a few images at a time, beside the others.

        Between two parts, other such requests take their turn.
        """
        batcher = Batcher(
            functools.partial(self.call, work.signature),
            self._settings,
            self._lanes.large,
            self._lanes.large_slot,
        )
        parts, size = [], 0
        for rows in _portions(work.pixels, self._settings.max_batch_size):
            part = {name: array[rows] for name, array in work.inputs.items()}
            outputs = await batcher.submit_alone(part, deadline)
            size += sum(array.nbytes for array in outputs.values())
            check_response(size, self._limits.answer_bytes)
            parts.append(outputs)
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    async def drained(self) -> None:
        """Waits until every request that came has its response."""
        while self._in_flight:
            await asyncio.sleep(0.01)


def _no_rows(signature: Signature) -> Tensors | None:
    """Returns the outputs for no rows, which nothing has to compute; None where their shapes vary.

    On an empty batch TensorFlow's fused convolutions fail, in models of earlier releases.
    """
    shapes = {name: spec.shape[1:] for name, spec in signature.outputs.items() if spec.shape.rank}
    if not signature.joinable or not all(shape.is_fully_defined() for shape in shapes.values()):
        return None
    return {
        name: np.empty((0, *shape), signature.outputs[name].dtype.as_numpy_dtype)
        for name, shape in shapes.items()
    }


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
            + ". "
            + _ADVICE[required() is not None]
        )
    try:
        signature = _signatures(path).get(contract.SERVING_DEFAULT)
    except (OSError, TypeError, ValueError, DecodeError) as error:
        raise UserError(f"{path}: {_GRAPH} cannot be read: {error}") from error
    if signature is None:
        raise UserError(f"{path}: there is no signature {contract.SERVING_DEFAULT}.")
    for side, specs, releases in (
        ("inputs", signature.inputs, (_IN,)),
        ("outputs", signature.outputs, (_OUT_WITH_TRIAGE, _OUT_WITH_DOMAIN, _OUT)),
    ):
        found = {name: spec.dtype for name, spec in specs.items()}
        if found not in releases:
            raise UserError(
                f"{path}: the {side} of {contract.SERVING_DEFAULT} must be "
                f"{_described(releases[0])}, are {_described(found)}."
            )


def _described(dtypes: Mapping[str, tf.DType]) -> str:
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
    file = path / contract.WARMUP_REQUESTS
    if not file.is_file():
        return
    for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        if request.inputs:
            yield (
                request.model_spec.signature_name or contract.SERVING_DEFAULT,
                {
                    name: proto_tensors.to_array(name, proto)
                    for name, proto in request.inputs.items()
                },
            )


def _size(request: tuple[str, Tensors]) -> int:
    return sum(array.size for array in request[1].values())


def _check_inputs(specs: Mapping[str, tf.TensorSpec], inputs: Tensors) -> None:
    for name, array in inputs.items():
        dtype = tf.as_dtype(array.dtype)
        if dtype != specs[name].dtype:
            raise invalid(f"The input {name} must be {specs[name].dtype.name}, is {dtype.name}.")
        if not specs[name].shape.is_compatible_with(array.shape):
            raise invalid(
                f"The input {name} must have the shape {specs[name].shape.as_list()}, has "
                f"{list(array.shape)}."
            )


def _encoded(images: np.ndarray) -> np.ndarray:
    encoded = np.empty(images.size, object)
    encoded[:] = images_of(images.ravel().tolist())
    return encoded.reshape(images.shape)


def _pixels(inputs: Tensors) -> np.ndarray:
    """[rows] int64, the pixels of each row's image; [0] where no input holds images."""
    if contract.IMAGE_BYTES in inputs:
        images = inputs[contract.IMAGE_BYTES].ravel()
        return np.array([image_headers.pixels(image) for image in images], np.int64)
    if contract.EXAMPLES in inputs:
        examples = inputs[contract.EXAMPLES].ravel()
        steps = wire.steps_for(len(examples))
        return np.array(
            [_example_pixels(row, example, steps) for row, example in enumerate(examples)],
            np.int64,
        )
    return np.zeros(0, np.int64)


def _example_pixels(row: int, example: bytes, steps: wire.Steps) -> int:
    try:
        images = wire.example_images(example, steps)
    except wire.MalformedError as error:
        raise invalid(f"{contract.EXAMPLES}[{row}]: not a valid tf.Example: it {error}.") from error
    return sum(map(image_headers.pixels, images))


def _portions(pixels: np.ndarray, largest: int) -> Iterator[slice]:
    """Yields the rows that are computed at once: of few pixels, or one row."""
    start = total = 0
    for row, count in enumerate(pixels.tolist()):
        if row > start and (total + count > _BATCH_PIXELS or row - start == largest):
            yield slice(start, row)
            start, total = row, 0
        total += count
    yield slice(start, len(pixels))
