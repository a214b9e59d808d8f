"""A call ends in its time, whatever the server does."""

import asyncio
import socket
import time

import pytest

from serving.client import DeadlinePassed, Unavailable, connect, connect_async
from tests.serving.client.calling import IMAGE
from tests.serving.client.stubs import BUSY, HANG, PREDICTION, SLOW_READ, TRICKLE, Failure

SECONDS = 0.3
# Far beyond the time that a call has, and before any stub responds by itself.
LATEST = 30.0


def is_late(call, url, images=(IMAGE,), *, seconds=SECONDS):
    started = time.monotonic()
    with pytest.raises(DeadlinePassed, match=rf"{url} sent no response .*within {seconds:g} s"):
        call(url, "predict", images, timeout=seconds)
    assert seconds * 0.9 < time.monotonic() - started < LATEST


def test_a_server_that_hangs(stub, call):
    stub.script = [HANG]
    is_late(call, stub.url)
    assert len(stub.calls) == 1


@pytest.mark.usefixtures("quick")
def test_a_server_that_hangs_after_failures_has_what_is_left(stub, call):
    stub.script = [BUSY, BUSY, HANG]
    # Enough for two refusals, however busy the machine is.
    is_late(call, stub.url, seconds=3)
    assert len(stub.calls) == 3


def test_a_server_that_sends_a_byte_at_a_time(rest_stub, call):
    rest_stub.script = [TRICKLE]
    is_late(call, rest_stub.url)


def test_a_server_that_reads_a_little_at_a_time(rest_stub, call):
    rest_stub.script = [SLOW_READ]
    is_late(call, rest_stub.url, [bytes(20_000_000)])


@pytest.mark.parametrize("scheme", ["http", "https", "grpc", "grpcs"])
def test_a_server_that_accepts_and_says_nothing(call, scheme):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        is_late(call, f"{scheme}://127.0.0.1:{silent.getsockname()[1]}")


def test_a_client_continues_after_a_late_response(stub):
    stub.script = [HANG]
    with connect(stub.url, timeout=SECONDS) as client:
        with pytest.raises(DeadlinePassed):
            client.predict([IMAGE])
        assert client.predict([IMAGE]) == [PREDICTION]


def test_an_asynchronous_client_continues_after_a_late_response(stub):
    async def call_twice():
        async with connect_async(stub.url, timeout=SECONDS) as client:
            with pytest.raises(DeadlinePassed):
                await client.predict([IMAGE])
            return await client.predict([IMAGE])

    stub.script = [HANG]
    assert asyncio.run(call_twice()) == [PREDICTION]


def test_a_server_that_stays_busy(stub, call):
    stub.script = [Failure(503, BUSY.code, "0")] * 99
    started = time.monotonic()
    # The last attempt may have too little time left even for a refusal.
    with pytest.raises((Unavailable, DeadlinePassed), match="tried"):
        call(stub.url, "predict", [IMAGE], timeout=SECONDS, retries=99)
    assert time.monotonic() - started < LATEST
