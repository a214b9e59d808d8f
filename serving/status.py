"""How a request ends that is not answered: the codes that gRPC and REST share."""

from http import HTTPStatus

from grpc import StatusCode

_HTTP = {
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
    """

    def __init__(self, code: StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def http(self) -> int:
        """The code that TensorFlow Serving's REST API has for it (its `http_server.cc`)."""
        return _HTTP.get(self.code, HTTPStatus.INTERNAL_SERVER_ERROR).value


def invalid(message: str) -> RequestError:
    """A request that says something wrong."""
    return RequestError(StatusCode.INVALID_ARGUMENT, message)


def late(what: str) -> RequestError:
    """A request whose deadline passed before something was there."""
    return RequestError(
        StatusCode.DEADLINE_EXCEEDED, f"The deadline passed before the {what} was there."
    )


def not_found(message: str) -> RequestError:
    """A request for what is not served here."""
    return RequestError(StatusCode.NOT_FOUND, message)
