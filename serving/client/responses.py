"""Responses of a server, read from either API."""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serving.client.address import Endpoint
from serving.model import Prediction
from transform_module import contract

OUTPUTS = (contract.PROBABILITY, contract.PREDICTED_LABEL, contract.VALID)
LATER_OUTPUTS = (contract.IN_DOMAIN, contract.DOMAIN_DISTANCE, contract.TRIAGE)
"""Outputs that models of earlier releases lack."""

# Of float32, IEEE 754.
_LARGEST = (2 - 2**-23) * 2.0**127
_LABELS = (*contract.LABELS, contract.INVALID)
_TRIAGE = (*contract.LABELS, contract.REVIEW, None)


@dataclass(frozen=True)
class VersionStatus:
    """The state of one version on the server.

    Attributes:
        version: its number.
        state: START, LOADING, AVAILABLE, UNLOADING or END.
        error: why it is not available; empty where nothing is wrong.
    """

    version: int
    state: str
    error: str


@dataclass(frozen=True)
class Tensor:
    """An input or output of a model.

    Attributes:
        dtype: such as DT_STRING.
        shape: None in it is any size; None instead of it is any shape.
    """

    dtype: str
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True)
class Signature:
    """One way to call a model.

    Attributes:
        inputs: by name.
        outputs: by name.
    """

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]


@dataclass(frozen=True)
class Metadata:
    """The inputs and outputs of a model.

    Attributes:
        model: its name.
        version: the one that is used.
        signatures: by name.
    """

    model: str
    version: int
    signatures: dict[str, Signature]


def predictions(endpoint: Endpoint, outputs: Mapping[str, Any], count: int) -> list[Prediction]:
    """Reads the outputs of a model, each with one value an image.

    Raises:
        NotOurModel: they are not a chest X-ray model's.
    """
    names = [*OUTPUTS, *(name for name in LATER_OUTPUTS if name in outputs)]
    columns = [outputs.get(name) for name in names]
    if not all(isinstance(column, list) and len(column) == count for column in columns):
        raise endpoint.not_ours(f"its response lacks, for each image, {', '.join(names)}")
    return [
        _prediction(endpoint, dict(zip(names, row, strict=True)))
        for row in zip(*columns, strict=True)
    ]


def _prediction(endpoint: Endpoint, row: Mapping[str, Any]) -> Prediction:
    probability = row[contract.PROBABILITY]
    distance = row.get(contract.DOMAIN_DISTANCE)
    if not (
        # A model whose weights are not numbers returns nan; what to make of it is the caller's.
        (_is_number(probability) and (0 <= probability <= 1 or math.isnan(probability)))
        and row[contract.PREDICTED_LABEL] in _LABELS
        and isinstance(row[contract.VALID], bool)
        and isinstance(row.get(contract.IN_DOMAIN), bool | None)
        and row.get(contract.TRIAGE) in _TRIAGE
        and (distance is None or (_is_number(distance) and 0 <= distance <= _LARGEST))
    ):
        raise endpoint.not_ours(f"its response is {', '.join(map(repr, row.values()))}")
    return Prediction(
        _float32(probability),
        row[contract.PREDICTED_LABEL],
        row[contract.VALID],
        row.get(contract.IN_DOMAIN),
        None if distance is None else _float32(distance),
        row.get(contract.TRIAGE),
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def metadata(model: str, version: int, definitions: Mapping[str, Mapping[str, Any]]) -> Metadata:
    """Reads signatures, given as the JSON form of TensorFlow's SignatureDef."""
    return Metadata(
        model,
        version,
        {
            name: Signature(_tensors(each["inputs"]), _tensors(each["outputs"]))
            for name, each in definitions.items()
        },
    )


def _tensors(given: Mapping[str, Mapping[str, Any]]) -> dict[str, Tensor]:
    return {
        name: Tensor(str(each["dtype"]), _shape(each["tensor_shape"]))
        for name, each in given.items()
    }


def _shape(given: Mapping[str, Any]) -> tuple[int | None, ...] | None:
    if given["unknown_rank"]:
        return None
    sizes: Sequence[int] = [int(dim["size"]) for dim in given["dim"]]
    return tuple(None if size < 0 else size for size in sizes)


def _float32(value: float) -> float:
    """Rounds a float32 read from JSON, so that both APIs give the same number."""
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded
