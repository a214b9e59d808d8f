"""What the clients say and hear: requests written, answers and failures read, without a network."""

import base64
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from components.errors import UserError
from serving.model import Answer
from transform_module import features

_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 5.0
_REST_PORTS: Final = {"http": 8501, "https": 8501}
_GRPC_PORTS: Final = {"grpc": 8500, "grpcs": 8500}

RETRIED_STATUSES: Final = frozenset({429, 503})
"""HTTP statuses of requests that were not computed, and may be later."""

RETRIED_CODES: Final = frozenset({"RESOURCE_EXHAUSTED", "UNAVAILABLE"})
"""gRPC's codes of the same."""


class Again(Exception):
    """A request that may be sent again.

    Attributes:
        failure: what to tell when it may not any more.
        wait: seconds that the server asks for.
    """

    def __init__(self, failure: UserError, wait: float | None = None) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.wait = wait


@dataclass(frozen=True)
class Tls:
    """Files of an encrypted connection, each PEM.

    Attributes:
        authority: what signs the server's certificate; None trusts the system's.
        certificate: the client's, with its chain.
        key: of the client's certificate.
    """

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True)
class Endpoint:
    """Where a model is served.

    Attributes:
        scheme: http, https, grpc or grpcs.
        address: host and port.
        model: its name.
        version: one of it; None asks the latest.
        label: names a version.
    """

    scheme: str
    address: str
    model: str
    version: int | None = None
    label: str | None = None

    @classmethod
    def of(cls, url: str, model: str, version: int | None, label: str | None) -> "Endpoint":
        """Reads a URL.

        Raises:
            UserError: it is none of a served model, or both a version and a label are given.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise UserError(f"{url}: no URL: {error}") from error
        ports = {**_REST_PORTS, **_GRPC_PORTS}
        if parts.scheme not in ports or not parts.hostname or parts.path.strip("/"):
            raise UserError(
                f"{url}: give http://HOST:8501 or https://… for REST, grpc://HOST:8500 or "
                "grpcs://… for gRPC."
            )
        if version is not None and label is not None:
            raise UserError("Give a version or a label, not both.")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return cls(parts.scheme, f"{host}:{port or ports[parts.scheme]}", model, version, label)

    @property
    def url(self) -> str:
        """As a user gives it."""
        return f"{self.scheme}://{self.address}"

    @property
    def is_rest(self) -> bool:
        """Whether it speaks REST."""
        return self.scheme in _REST_PORTS

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is."""
        return self.scheme.endswith("s")

    @property
    def model_path(self) -> str:
        """The model's path in REST, with its version or label."""
        chosen = ""
        if self.version is not None:
            chosen = f"/versions/{self.version}"
        elif self.label is not None:
            chosen = f"/labels/{quote(self.label, safe='')}"
        return f"/v1/models/{quote(self.model, safe='')}{chosen}"


@dataclass(frozen=True)
class VersionStatus:
    """The state of a version on a server.

    Attributes:
        version: its number.
        state: START, LOADING, AVAILABLE, UNLOADING or END.
        error: why it is not available; empty otherwise.
    """

    version: int
    state: str
    error: str


def wait_before(attempt: int, told: float | None = None) -> float:
    """Tells how long to wait before a request is sent again.

    Args:
        attempt: how many were sent.
        told: seconds that the server asks for.

    Returns:
        Seconds: exponentially more with each attempt, with full jitter, so that clients that failed
        together do not come back together.
    """
    if told is not None:
        return min(told, _LONGEST_WAIT)
    return random.uniform(0, min(_FIRST_WAIT * 2**attempt, _LONGEST_WAIT))


def rest_body(images: Sequence[bytes]) -> bytes:
    """Writes a Predict request."""
    instances = [{"b64": base64.b64encode(image).decode()} for image in images]
    return json.dumps({"instances": instances}).encode()


def rest_answers(content: bytes, endpoint: Endpoint, count: int) -> list[Answer]:
    """Reads the answer to a Predict request.

    Raises:
        UserError: it is none of a model of this pipeline.
    """
    try:
        rows = json.loads(content)["predictions"]
        answers = [
            Answer(
                float(row[features.PROBABILITY]),
                str(row[features.PREDICTED_LABEL]),
                bool(row[features.VALID]),
            )
            for row in rows
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise _stranger(endpoint) from error
    return _whole(answers, endpoint, count)


def rest_status(content: bytes) -> list[VersionStatus]:
    """Reads the answer to a status request."""
    return [
        VersionStatus(int(each["version"]), each["state"], each["status"]["error_message"])
        for each in json.loads(content)["model_version_status"]
    ]


def rest_failure(status: int, content: bytes, endpoint: Endpoint) -> UserError:
    """Turns an answer that is none into its message."""
    try:
        said = json.loads(content)["error"]
    except (ValueError, KeyError, TypeError):
        said = "without a message"
    return failure(endpoint, f"answers {status}: {said}")


def failure(endpoint: Endpoint, what: str) -> UserError:
    """Words a failed request."""
    return UserError(f"{endpoint.url}, model {endpoint.model}: {what}")


def unreachable(endpoint: Endpoint, error: object) -> UserError:
    """Words that nobody answers."""
    return failure(
        endpoint,
        f"cannot be reached ({error}). Is the server running there? cxr serve MODEL starts one.",
    )


def late(endpoint: Endpoint, seconds: float) -> UserError:
    """Words that the answer took too long."""
    return failure(
        endpoint, f"did not answer within {seconds:g} s. Give it more time, or less work."
    )


def grpc_request(images: Sequence[bytes], endpoint: Endpoint) -> Any:
    """Makes a Predict request."""
    from tensorflow.core.framework import types_pb2
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest(model_spec=grpc_spec(endpoint))
    request.model_spec.signature_name = features.SERVING_DEFAULT
    tensor = request.inputs[features.IMAGE_BYTES]
    tensor.dtype = types_pb2.DT_STRING
    tensor.tensor_shape.dim.add(size=len(images))
    tensor.string_val.extend(images)
    return request


def grpc_spec(endpoint: Endpoint) -> Any:
    """Names the model, and its version or label."""
    from tensorflow_serving.apis import model_pb2

    spec = model_pb2.ModelSpec(name=endpoint.model)
    if endpoint.version is not None:
        spec.version.value = endpoint.version
    elif endpoint.label is not None:
        spec.version_label = endpoint.label
    return spec


def grpc_answers(response: Any, endpoint: Endpoint, count: int) -> list[Answer]:
    """Reads the answer to a Predict request; raises as `rest_answers`."""
    import tensorflow as tf

    try:
        probabilities, labels, valid = (
            tf.make_ndarray(response.outputs[name]).tolist()
            for name in (features.PROBABILITY, features.PREDICTED_LABEL, features.VALID)
        )
        answers = [
            Answer(float(row[0]), row[1].decode(), bool(row[2]))
            for row in zip(probabilities, labels, valid, strict=True)
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _stranger(endpoint) from error
    return _whole(answers, endpoint, count)


def grpc_status(response: Any) -> list[VersionStatus]:
    """Reads the answer to a status request."""
    from tensorflow_serving.apis import get_model_status_pb2

    name = get_model_status_pb2.ModelVersionStatus.State.Name
    return [
        VersionStatus(each.version, name(each.state), each.status.error_message)
        for each in response.model_version_status
    ]


def _whole(answers: list[Answer], endpoint: Endpoint, count: int) -> list[Answer]:
    if len(answers) != count:
        raise failure(endpoint, f"answers {len(answers)} rows to {count} pictures.")
    return answers


def _stranger(endpoint: Endpoint) -> UserError:
    wanted = ", ".join((features.PROBABILITY, features.PREDICTED_LABEL, features.VALID))
    return failure(
        endpoint, f"is no model of this pipeline: its answer lacks {wanted} for each picture."
    )
