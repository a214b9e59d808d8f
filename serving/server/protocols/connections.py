"""The connections of REST: how many there are, and how long each may wait for its client."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from serving.server.admission.limits import Limits

_SWEEP_SECONDS: Final = 0.5


class Connections:
    """The open connections. It belongs to one event loop.

    Where there are too many, the one whose client has been silent for the longest time is closed:
    whoever opens connections and sends nothing shuts out nobody but himself. A connection whose
    request is being computed is never closed.
    """

    def __init__(self, limits: Limits, refused: Callable[[str], None]) -> None:
        """Starts without any.

        Args:
            limits: of their number and times.
            refused: is called with a limit's name where a connection is closed for it.
        """
        self._limits = limits
        self._refused = refused
        self._all: set[Connection] = set()
        # Those that wait for their client; the longest silent one first.
        self._waiting: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._all)

    def factory(self, server: web.Server, **options: Any) -> Callable[[], "Connection"]:
        """Returns what makes a connection's protocol.

        Args:
            server: of aiohttp.
            options: of aiohttp's `RequestHandler`.
        """
        loop = asyncio.get_running_loop()
        return lambda: Connection(self, server, loop=loop, **options)

    def opened(self, connection: "Connection") -> None:
        """Notes a new connection, and closes another one where there are too many."""
        self._all.add(connection)
        self._waiting[connection] = None
        if len(self._all) > self._limits.connections:
            self._close(next(iter(self._waiting)), "connections")

    def heard(self, connection: "Connection") -> None:
        """Notes that something came from the client."""
        if connection in self._waiting:
            del self._waiting[connection]
            self._waiting[connection] = None

    def began(self, connection: Any) -> None:
        """Notes that the header of a request has come; its body has a limit of its own."""
        if connection in self._all:
            connection.is_read = True

    def computing(self, connection: Any) -> None:
        """Notes that a request has come whole."""
        self._waiting.pop(connection, None)

    def responded(self, connection: Any) -> None:
        """Notes that a response was sent, and that the client's turn has come."""
        if connection in self._all:
            connection.wait()
            self._waiting.pop(connection, None)
            self._waiting[connection] = None

    def closed(self, connection: "Connection") -> None:
        """Notes that a connection was closed."""
        self._all.discard(connection)
        self._waiting.pop(connection, None)

    async def watch(self) -> None:
        """Closes the connections whose client takes too long; until it is cancelled."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            now = asyncio.get_running_loop().time()
            for connection in list(self._waiting):
                if limit := connection.exceeded(now, self._limits):
                    self._close(connection, limit)

    def close(self, connection: Any) -> None:
        """Closes a connection whose client does not read its response."""
        if connection in self._all:
            self._close(connection, "idle_seconds")

    def _close(self, connection: "Connection", limit: str) -> None:
        self._refused(limit)
        self.closed(connection)
        connection.abort()


class Connection(web.RequestHandler):
    """One connection.

    Attributes:
        is_read: whether the header of a request has come that has no response yet.
    """

    __slots__ = ("_connections", "_has_begun", "_since", "is_read")

    def __init__(self, connections: Connections, server: web.Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._connections = connections
        self._since = 0.0
        self._has_begun = True  # the header of the first request is expected at once
        self.is_read = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Is called by asyncio."""
        self._since = asyncio.get_running_loop().time()
        super().connection_made(transport)
        self._connections.opened(self)

    def data_received(self, data: bytes) -> None:
        """Is called by asyncio."""
        if not self._has_begun:
            self._has_begun = True
            self._since = asyncio.get_running_loop().time()
        self._connections.heard(self)
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Is called by asyncio."""
        self._connections.closed(self)
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Responds to what is not HTTP; aiohttp's own response repeats it, and is logged."""
        text = "The request is not HTTP that can be read."
        response = web.json_response({"error": text}, status=status)
        response.force_close()
        return response

    def wait(self) -> None:
        """Notes that the next request is waited for."""
        self.is_read = False
        self._has_begun = False
        self._since = asyncio.get_running_loop().time()

    def exceeded(self, now: float, limits: Limits) -> str:
        """Names the limit that the client exceeds, or none."""
        if self.is_read:
            return ""
        name = "header_seconds" if self._has_begun else "idle_seconds"
        return name if now - self._since > getattr(limits, name) else ""

    def abort(self) -> None:
        """Closes the connection at once, whatever is still to be written."""
        transport = self.transport
        self.force_close()
        if isinstance(transport, asyncio.Transport):
            transport.abort()
