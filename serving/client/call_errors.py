"""Errors of calls that get no response."""

from typing import ClassVar

from transform_module.errors import UserError


class ClientError(UserError):
    """A call without a response.

    Attributes:
        can_retry: whether the same call may succeed a moment later.
        retry_after: seconds that the server wants to have before the next call.
        attempts: how often the call was made.
    """

    can_retry: ClassVar[bool] = False

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.attempts = 1

    def __str__(self) -> str:
        message = super().__str__()
        return message if self.attempts == 1 else f"{message} It was tried {self.attempts} times."


class Unavailable(ClientError):
    """The server cannot be reached, the connection broke, or it has no time now."""

    can_retry = True


class TlsFailed(ClientError):
    """No encrypted connection was agreed upon, mostly because a certificate is not trusted."""


class UnknownModel(ClientError):
    """The server has no such model, or no such version of it."""


class DeadlinePassed(ClientError):
    """The call took longer than it may."""


class Refused(ClientError):
    """The server does not serve this call, whenever it is made."""


class NotOurModel(ClientError):
    """The server is not one of a chest X-ray model of this pipeline."""
