"""The body of a request over REST: bounded in bytes and in time, unpacked where it is packed."""

import asyncio
import zlib
from typing import Final

from aiohttp import web

from serving.status import invalid, late

MAXIMUM_BODY: Final = 64 * 1024 * 1024
"""Bytes of a body, packed or not; a larger one is refused before it is read whole."""

# A gzip header and trailer around the data, in the words of `zlib`.
_GZIP: Final = 31


async def read(request: web.Request, deadline: float) -> bytes:
    """Reads and unpacks a body.

    Args:
        request: aiohttp must not unpack it: its parser waits for ever on deflate that is cut off.
        deadline: on the event loop's clock.

    Raises:
        RequestError: it is not there by then, or cannot be unpacked.
        HTTPRequestEntityTooLarge: it is larger than `MAXIMUM_BODY`.
    """
    try:
        async with asyncio.timeout_at(deadline):
            body = await request.read()
    except TimeoutError as error:
        raise late("body") from error
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise invalid(f"Content-Encoding {encoding} is not known. Send gzip or none.")
    return await asyncio.to_thread(unpack, body)


def unpack(body: bytes) -> bytes:
    """Unpacks gzip.

    Raises:
        RequestError: it is damaged or cut off.
        HTTPRequestEntityTooLarge: it is larger than `MAXIMUM_BODY` unpacked.
    """
    decompressor = zlib.decompressobj(_GZIP)
    try:
        content = decompressor.decompress(body, MAXIMUM_BODY + 1)
    except zlib.error as error:
        raise invalid(f"The body is no gzip: {error}") from error
    if len(content) > MAXIMUM_BODY:
        raise web.HTTPRequestEntityTooLarge(MAXIMUM_BODY, len(content))
    if not decompressor.eof or decompressor.unused_data:
        raise invalid("The body is no gzip: it is cut off, or more follows.")
    return content
