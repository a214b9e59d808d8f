"""A call ends in its time, whatever the server does."""

import asyncio
import socket
import time

import pytest

from serving.client import DeadlinePassed, Unavailable, connect, connect_async
from tests.serving.client.asked import IMAGE
from tests.serving.client.stubs import ANSWER, BUSY, HANG, SLOW_READ, TRICKLE, Failure

SECONDS = 0.3
# Far beyond the time that a call has, and before any stub answers by itself.
LATEST = 30.0


def is_late(ask, url, images=(IMAGE,), *, seconds=SECONDS):
    started = time.monotonic()
    with pytest.raises(DeadlinePassed, match=rf"{url} sent no response .*within {seconds:g} s"):
        ask(url, "predict", images, timeout=seconds)
    assert seconds * 0.9 < time.monotonic() - started < LATEST


def test_a_server_that_hangs(stub, ask):
    stub.script = [HANG]
    is_late(ask, stub.url)
    assert len(stub.asked) == 1


@pytest.mark.usefixtures("quick")
def test_a_server_that_hangs_after_failures_has_what_is_left(stub, ask):
    stub.script = [BUSY, BUSY, HANG]
    # Enough for two refusals, however busy the machine is.
    is_late(ask, stub.url, seconds=3)
    assert len(stub.asked) == 3


def test_a_server_that_answers_a_byte_at_a_time(rest_stub, ask):
    rest_stub.script = [TRICKLE]
    is_late(ask, rest_stub.url)


def test_a_server_that_reads_a_little_at_a_time(rest_stub, ask):
    rest_stub.script = [SLOW_READ]
    is_late(ask, rest_stub.url, [bytes(20_000_000)])


@pytest.mark.parametrize("scheme", ["http", "https", "grpc", "grpcs"])
def test_a_server_that_accepts_and_says_nothing(ask, scheme):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        is_late(ask, f"{scheme}://127.0.0.1:{silent.getsockname()[1]}")


def test_a_client_continues_after_a_late_answer(stub):
    stub.script = [HANG]
    with connect(stub.url, timeout=SECONDS) as client:
        with pytest.raises(DeadlinePassed):
            client.predict([IMAGE])
        assert client.predict([IMAGE]) == [ANSWER]


def test_an_asynchronous_client_continues_after_a_late_answer(stub):
    async def ask_twice():
        async with connect_async(stub.url, timeout=SECONDS) as client:
            with pytest.raises(DeadlinePassed):
                await client.predict([IMAGE])
            return await client.predict([IMAGE])

    stub.script = [HANG]
    assert asyncio.run(ask_twice()) == [ANSWER]


def test_a_server_that_stays_busy(stub, ask):
    stub.script = [Failure(503, BUSY.code, "0")] * 99
    started = time.monotonic()
    # The last attempt may have too little time left even for a refusal.
    with pytest.raises((Unavailable, DeadlinePassed), match="tried"):
        ask(stub.url, "predict", [IMAGE], timeout=SECONDS, retries=99)
    assert time.monotonic() - started < LATEST
