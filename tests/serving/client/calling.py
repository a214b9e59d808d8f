"""The blocking and the asynchronous client, called in the same way."""

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np

from serving.client import connect, connect_async
from tests.images import encode


def grey(value: int) -> bytes:
    return encode(np.full((40, 40), value, np.uint8), "png-grey")


IMAGE = grey(204)

Caller = Callable[..., Any]


def blocking(url: str, what: str, *arguments: Any, times: int = 1, **options: Any) -> Any:
    """Calls a method of a client, once or several times; gives its last result."""
    with connect(url, **options) as client:
        for _ in range(times):
            result = getattr(client, what)(*arguments)
            if what == "predict_files":
                result = list(result)
        return result


def asynchronous(url: str, what: str, *arguments: Any, times: int = 1, **options: Any) -> Any:
    """The same."""

    async def call() -> Any:
        async with connect_async(url, **options) as client:
            for _ in range(times):
                pending = getattr(client, what)(*arguments)
                if what == "predict_files":
                    result = [batch async for batch in pending]
                else:
                    result = await pending
            return result

    return asyncio.run(call())


KINDS = (blocking, asynchronous)
