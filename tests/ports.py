"""Ports that a server will bind later, which no other process gets in between."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def reserved(count: int = 1) -> Iterator[list[int]]:
    """Holds ports of this machine as long as the block runs.

    They are bound and nobody listens: a connection is refused. A server gets one if it sets
    SO_REUSEPORT, as gRPC does by default; the system gives such a port to nobody who takes any.
    """
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in held:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            each.bind(("127.0.0.1", 0))
        yield [each.getsockname()[1] for each in held]
