"""Errors of requests: the codes that gRPC and REST share.

No message repeats anything that a client sent: it may be of a patient, and it may be of another
client's request that was computed in the same batch.
"""

import logging
import traceback
from http import HTTPStatus
from typing import Final

from grpc import StatusCode

_HTTP: Final = {
    StatusCode.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
    StatusCode.FAILED_PRECONDITION: HTTPStatus.BAD_REQUEST,
    StatusCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    StatusCode.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    StatusCode.UNIMPLEMENTED: HTTPStatus.NOT_IMPLEMENTED,
    StatusCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    StatusCode.DEADLINE_EXCEEDED: HTTPStatus.GATEWAY_TIMEOUT,
}


class RequestError(Exception):
    """A request that is refused or fails.

    Attributes:
        code: as gRPC names it.
        message: what is wrong, for the client.
        reason: the limit that the request exceeds, as the metrics name it; empty for other errors.
        http: the status code over REST; by default the one that TensorFlow Serving's REST API has
            for ``code`` (its `http_server.cc`).
    """

    def __init__(
        self, code: StatusCode, message: str, *, reason: str = "", http: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.http = http or _HTTP.get(code, HTTPStatus.INTERNAL_SERVER_ERROR).value


def invalid(message: str, *, reason: str = "") -> RequestError:
    """Returns the error of a request that is wrong whenever it is sent."""
    return RequestError(StatusCode.INVALID_ARGUMENT, message, reason=reason)


def too_large(message: str, *, reason: str) -> RequestError:
    """Returns the error of a request that is larger than any that this server takes."""
    return RequestError(StatusCode.INVALID_ARGUMENT, message, reason=reason, http=413)


def busy(message: str, *, reason: str) -> RequestError:
    """Returns the error of a request that the server has no room for at the moment."""
    return RequestError(StatusCode.RESOURCE_EXHAUSTED, f"{message} Try again later.", reason=reason)


def late(what: str) -> RequestError:
    """Returns the error of a request whose deadline passed before something was there."""
    return RequestError(
        StatusCode.DEADLINE_EXCEEDED, f"The deadline passed before the {what} was there."
    )


def not_found(message: str) -> RequestError:
    """Returns the error of a request for something that is not served here."""
    return RequestError(StatusCode.NOT_FOUND, message)


def log_failure(log: logging.Logger, error: BaseException) -> None:
    """Logs where the server's own code failed.

    The error's message is left out, because libraries quote what they were given.
    """
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("A request failed: %s\n%s", type(error).__name__, frames)
