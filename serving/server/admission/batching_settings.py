"""Settings of batching, also read from TensorFlow Serving's file."""

import re
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any, Final

from google.protobuf import text_format

from serving.tensorflow_serving import protos
from transform_module import contract
from transform_module.errors import UserError

_MINIMA: Final = {
    "max_batch_size": 1,
    "batch_timeout_micros": 0,
    "max_enqueued_batches": 1,
    "num_batch_threads": 1,
}
_SPLITTING: Final = ("enable_large_batch_splitting", "max_execution_batch_size")


@dataclass(frozen=True)
class BatchingSettings:
    """How requests are joined into batches.

    Attributes:
        max_batch_size: images in a batch. A request of more is split.
        batch_timeout_micros: how long a batch that is not full waits for more rows. TensorFlow
            Serving waits so long from the first request on. This server waits from the latest on,
            five times as long for clients that have just had a response, and only while fewer rows
            wait than were on their way when a batch last ended.
        max_enqueued_batches: batches that wait; with more, requests are refused.
        num_batch_threads: batches that run at the same time. Each uses all cores by itself, and
            one large batch takes less than two that share them.
        allowed_batch_sizes: what a smaller batch is filled up to, ascending, the last of them
            ``max_batch_size``; empty where batches run as they come.

    Raises:
        UserError: a value that TensorFlow Serving refuses.
    """

    max_batch_size: int = contract.SERVING_BATCH_SIZES[-1]
    batch_timeout_micros: int = 2_000
    max_enqueued_batches: int = 100
    num_batch_threads: int = 1
    allowed_batch_sizes: tuple[int, ...] = contract.SERVING_BATCH_SIZES

    def __post_init__(self) -> None:
        for name, minimum in _MINIMA.items():
            if getattr(self, name) < minimum:
                raise UserError(f"{name}: must be at least {minimum}, is {getattr(self, name)}.")
        _check_allowed(self.allowed_batch_sizes, self.max_batch_size)

    @property
    def max_request_size(self) -> int:
        """Images in a request: what an empty queue takes."""
        return self.max_batch_size * self.max_enqueued_batches

    def to_text_proto(self) -> str:
        """Writes the settings as the file of ``--batching_parameters_file``.

        With ``enable_large_batch_splitting`` TensorFlow Serving's ``max_batch_size`` bounds a
        request, and ``max_execution_batch_size`` a batch; the last of ``allowed_batch_sizes`` must
        be the former all the same (its bundle_factory_util.cc).
        """
        sizes = sorted({*self.allowed_batch_sizes, self.max_request_size})
        message = protos.batching_parameters()(
            allowed_batch_sizes=sizes if self.allowed_batch_sizes else ()
        )
        for name in _MINIMA:
            getattr(message, name).value = getattr(self, name)
        message.enable_large_batch_splitting.value = True
        message.max_execution_batch_size.value = self.max_batch_size
        message.max_batch_size.value = self.max_request_size
        return str(text_format.MessageToString(message))

    @classmethod
    def from_text_proto(cls, text: str) -> "BatchingSettings":
        """Reads the settings from a file of ``--batching_parameters_file``.

        Args:
            text: a ``tensorflow.serving.BatchingParameters`` in the text format.

        Returns:
            The settings.

        Raises:
            UserError: it is not such a message, says too little or too much, or TensorFlow Serving
                would refuse it.
        """
        message = _parse(text)
        splits = message.enable_large_batch_splitting.value
        if message.HasField("max_execution_batch_size") and not splits:
            raise UserError(
                "max_execution_batch_size: has no effect without enable_large_batch_splitting "
                "{ value: true }."
            )
        if unused := [
            field.name
            for field, _ in message.ListFields()
            if field.name not in (*_known(), *_SPLITTING)
        ]:
            raise UserError(
                f"{unused[0]}: this field has no effect here; remove it. "
                f"Used are {', '.join((*_known(), *_SPLITTING))}."
            )
        if missing := [name for name in _MINIMA if not message.HasField(name)]:
            raise UserError(f"{missing[0]}: is missing; add {missing[0]} {{ value: … }}.")
        settings = cls(
            **{name: getattr(message, name).value for name in _MINIMA},
            allowed_batch_sizes=tuple(message.allowed_batch_sizes),
        )
        if not message.HasField("max_execution_batch_size"):
            return settings
        return _executed(settings, message.max_execution_batch_size.value)


def _executed(settings: BatchingSettings, size: int) -> BatchingSettings:
    """The settings of batches that are smaller than a request may be."""
    sizes = tuple(each for each in settings.allowed_batch_sizes if each <= size)
    if not 1 <= size <= settings.max_batch_size:
        raise UserError(
            f"max_execution_batch_size: must be from 1 to max_batch_size, "
            f"{settings.max_batch_size}, is {size}."
        )
    if settings.allowed_batch_sizes and (not sizes or sizes[-1] != size):
        raise UserError(
            f"allowed_batch_sizes: must contain max_execution_batch_size, {size}; a batch of that "
            "size would be filled up beyond it."
        )
    return replace(settings, max_batch_size=size, allowed_batch_sizes=sizes)


def _known() -> list[str]:
    return [field.name for field in fields(BatchingSettings)]


def _check_allowed(sizes: tuple[int, ...], maximum: int) -> None:
    if not sizes:
        return
    shown = ", ".join(map(str, sizes))
    if sizes[0] < 1 or any(after <= before for before, after in pairwise(sizes)):
        raise UserError(f"allowed_batch_sizes: must be ascending from 1 or more, are {shown}.")
    if sizes[-1] != maximum:
        raise UserError(
            f"allowed_batch_sizes: the last, {sizes[-1]}, must equal max_batch_size, {maximum}."
        )


def _parse(text: str) -> Any:
    try:
        return text_format.Parse(text, protos.batching_parameters()())
    except text_format.ParseError as error:
        raise UserError(
            f"{_field_at_fault(text, error)}: is not a BatchingParameters text proto, "
            f"line:column {error} Fields are {', '.join(_known())}."
        ) from error


def _field_at_fault(text: str, error: Any) -> str:
    """Names the unknown field, or else the last field that is before the fault."""
    names = protos.batching_parameters().DESCRIPTOR.fields_by_name
    unknown = re.search(r'no field named "(\w+)"', str(error))
    if unknown and unknown.group(1) not in names:
        return unknown.group(1)
    lines = text.splitlines()[: error.GetLine()]
    before = "\n".join([*lines[:-1], *(line[: error.GetColumn() - 1] for line in lines[-1:])])
    passed = [word for word in re.findall(r"\w+", before) if word in names]
    return passed[-1] if passed else "batching parameters"
