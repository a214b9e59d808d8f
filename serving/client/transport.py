"""Interface that the clients require of REST and gRPC."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from serving.client.responses import Metadata, VersionStatus
from serving.model import Prediction

Result = TypeVar("Result")


@dataclass(frozen=True)
class Call(Generic[Result]):
    """A call that can be made any number of times.

    Attributes:
        method: what is called, as the API names it.
        message: what is sent; None sends nothing.
        read: makes the result of a response.
    """

    method: str
    message: Any
    read: Callable[[Any], Result]


class Calls(Protocol):
    """The calls of an API."""

    def predict(self, images: Sequence[bytes]) -> Call[list[Prediction]]:
        """Predicts images."""

    def status(self) -> Call[list[VersionStatus]]:
        """Queries the state of the versions."""

    def metadata(self) -> Call[Metadata]:
        """Queries the signatures."""


class Transport(Calls, Protocol):
    """A connection that is used again and again."""

    def send(self, call: Call[Result], seconds: float) -> Result:
        """Makes one attempt at a call.

        Raises:
            ClientError: there is no response in these seconds.
        """

    def close(self) -> None:
        """Ends the connection."""


class AsyncTransport(Calls, Protocol):
    """As `Transport`, for an event loop."""

    async def send(self, call: Call[Result], seconds: float) -> Result:
        """Makes one attempt at a call; see `Transport.send`."""

    async def close(self) -> None:
        """Ends the connection."""
