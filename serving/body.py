"""The body of a request over REST: bounded in bytes, in time and in memory, also unpacked."""

import asyncio
import zlib
from typing import Final

from aiohttp import web
from grpc import StatusCode

from serving.limits import Limits
from serving.memory import Share
from serving.status import RequestError, invalid, too_large

# A gzip header and trailer around the data, in the words of `zlib`.
_GZIP: Final = 31

# What is unpacked at once: a few milliseconds, in a thread.
_PIECE: Final = 1024 * 1024


async def read(request: web.Request, share: Share, limits: Limits, deadline: float) -> bytearray:
    """Reads and unpacks a body.

    Args:
        request: aiohttp must not unpack it: its parser waits for ever on deflate that is cut off.
        share: which the bytes are taken from as they come.
        limits: of the bytes and the time.
        deadline: of the request, on the event loop's clock.

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
    return await unpack(body, share, limits) if encoding == "gzip" else body


async def unpack(body: bytearray, share: Share, limits: Limits) -> bytearray:
    """Unpacks gzip.

    Raises:
        RequestError: it is damaged or cut off, or is too large unpacked.
    """
    decompressor = zlib.decompressobj(_GZIP)
    content = bytearray()
    rest = bytes(body)
    while not decompressor.eof:
        try:
            piece = await asyncio.to_thread(decompressor.decompress, rest, _PIECE)
        except zlib.error as error:
            raise invalid("The body is not gzip: it is damaged.") from error
        share.take(len(piece))
        content += piece
        if len(content) > limits.body_bytes:
            raise _too_large(limits)
        rest = decompressor.unconsumed_tail
        if not piece and not rest:
            break
    if not decompressor.eof or decompressor.unused_data:
        raise invalid("The body is not gzip: it is cut off, or more follows.")
    return content


def _too_large(limits: Limits) -> RequestError:
    return too_large(
        f"The body is larger than {limits.body_bytes} bytes, or is once it is unpacked.",
        reason="body_bytes",
    )
