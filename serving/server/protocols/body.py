"""The body of a request over REST: bounded in bytes, in time and in memory, also unpacked."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web
from grpc import StatusCode

from serving.server.admission.limits import Limits
from serving.server.admission.request_memory import Share
from serving.server.status import RequestError, invalid, too_large

# A gzip header and trailer around the data, in the words of `zlib`.
_GZIP: Final = 31

# What is unpacked at once, so that others can work in between.
_PIECE: Final = 1024 * 1024

_MAGIC: Final = b"\x1f\x8b"

# The last bytes of gzip: how many there are once it is unpacked.
_SIZE_BYTES: Final = 4

# No byte of deflate stands for more.
_LARGEST_RATIO: Final = 1032

InThread = Callable[..., Awaitable[Any]]
"""Calls a function in a thread, as `serving.server.core.Core.in_thread` does."""


async def read(
    request: web.Request, share: Share, limits: Limits, deadline: float, in_thread: InThread
) -> bytearray:
    """Reads and unpacks a body.

    Args:
        request: aiohttp must not unpack it: its parser waits for ever on deflate that is cut off.
        share: which the bytes are taken from as they come.
        limits: of the bytes and the time.
        deadline: of the request, on the event loop's clock.
        in_thread: where it is unpacked.

    Raises:
        RequestError: it is too large, is not there in time, or cannot be unpacked.
        ConnectionResetError: the client left.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity", "gzip"):
        raise invalid("The Content-Encoding is not supported. Send gzip or none.")
    if (request.content_length or 0) > limits.body_bytes:
        raise _too_large(limits)
    until = min(deadline, asyncio.get_running_loop().time() + limits.body_seconds)
    body = bytearray()
    try:
        async with share.arriving(until):
            while part := await request.content.readany():
                share.take(len(part))
                body += part
                if len(body) > limits.body_bytes:
                    raise _too_large(limits)
    except RuntimeError as error:
        # What aiohttp raises where the client left before its body was read.
        if request.protocol.connected:
            raise
        raise ConnectionResetError from error
    except TimeoutError as error:
        raise RequestError(
            StatusCode.DEADLINE_EXCEEDED,
            "The body was not there in time.",
            reason="body_seconds",
            http=408,
        ) from error
    return await unpack(body, share, limits, in_thread) if encoding == "gzip" else body


async def unpack(body: bytearray, share: Share, limits: Limits, in_thread: InThread) -> bytearray:
    """Unpacks gzip, after the room for all of it was found.

    Args:
        body: what came.
        share: which the unpacked bytes are taken from, before the work.
        limits: of the bytes.
        in_thread: where it is unpacked, few large ones at the same time.

    Raises:
        RequestError: it is damaged or cut off, or is too large unpacked.
    """
    size = int.from_bytes(body[-_SIZE_BYTES:], "little")
    if not body.startswith(_MAGIC) or size > _LARGEST_RATIO * len(body):
        raise _no_gzip()
    if size > limits.body_bytes:
        raise _too_large(limits)
    share.take(size)
    content: bytearray = await in_thread(size, _unpacked, bytes(body), size)
    return content


def _unpacked(packed: bytes, size: int) -> bytearray:
    """Unpacks gzip, and stops where it turns out to be larger than it says."""
    decompressor = zlib.decompressobj(_GZIP)
    content = bytearray()
    rest = packed
    while not decompressor.eof:
        try:
            piece = decompressor.decompress(rest, _PIECE)
        except zlib.error as error:
            raise _no_gzip() from error
        content += piece
        if len(content) > size:
            break
        rest = decompressor.unconsumed_tail
        if not piece and not rest:
            break
    if not decompressor.eof or decompressor.unused_data:
        raise _no_gzip()
    return content


def _no_gzip() -> RequestError:
    return invalid("The body is not gzip: it is damaged or cut off, or more follows.")


def _too_large(limits: Limits) -> RequestError:
    return too_large(
        f"The body is larger than {limits.body_bytes} bytes, or is once it is unpacked.",
        reason="body_bytes",
    )
