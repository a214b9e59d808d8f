import asyncio
import gzip
import zlib
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.server.admission.limits import Limits
from serving.server.admission.request_memory import Budget, Share
from serving.server.protocols import body
from serving.server.status import RequestError

LIMITS = Limits()


async def at_once(size, function, *arguments):
    return function(*arguments)


def unpack(packed, limits=LIMITS, budget=None, in_thread=at_once):
    budget = budget or Budget(limits.memory_bytes)

    async def case():
        with Share(budget) as share:
            return bytes(await body.unpack(bytearray(packed), share, limits, in_thread))

    return asyncio.run(case())


@given(st.binary())
def test_what_was_packed_is_unpacked(content):
    assert unpack(gzip.compress(content)) == content


def test_of_several_pieces_all_are_there():
    content = bytes(range(256)) * 16384
    assert unpack(gzip.compress(content)) == content


@given(st.binary(min_size=1), st.data())
def test_what_is_cut_off_is_refused(content, data):
    packed = gzip.compress(content)
    with pytest.raises(RequestError, match="not gzip"):
        unpack(packed[: data.draw(st.integers(0, len(packed) - 1))])


@given(st.binary())
def test_other_bytes_are_refused(content):
    with pytest.raises(RequestError, match="not gzip") as refused:
        unpack(b"x" + content)
    assert refused.value.http == 400


def test_what_follows_is_refused():
    with pytest.raises(RequestError, match="more follows"):
        unpack(gzip.compress(b"{}") + b"x")


def test_a_small_body_that_unpacks_to_a_large_one_is_refused():
    limits = replace(LIMITS, body_bytes=1 << 20)
    assert len(unpack(gzip.compress(bytes(1 << 20)), limits)) == 1 << 20
    with pytest.raises(RequestError) as refused:
        unpack(gzip.compress(bytes((1 << 20) + 1)), limits)
    assert (refused.value.http, refused.value.reason) == (413, "body_bytes")


def test_what_is_unpacked_counts_and_is_given_back():
    budget = Budget(4 << 20)
    with pytest.raises(RequestError) as refused:
        unpack(gzip.compress(bytes(8 << 20)), budget=budget)
    assert refused.value.reason == "memory"
    assert budget.used == 0


async def never(size, function, *arguments):
    raise AssertionError("it is unpacked")


@pytest.mark.parametrize(
    ("content", "budget", "reason"),
    [
        (bytes(LIMITS.body_bytes + 1), LIMITS.memory_bytes, "body_bytes"),
        (bytes(8 << 20), 4 << 20, "memory"),
    ],
)
def test_what_says_that_it_is_too_large_is_refused_before_the_work(content, budget, reason):
    with pytest.raises(RequestError) as refused:
        unpack(gzip.compress(content), budget=Budget(budget), in_thread=never)
    assert refused.value.reason == reason


@pytest.mark.parametrize("said", [0, 1 << 20, (8 << 20) - 1])
def test_what_says_that_it_is_smaller_is_unpacked_so_far(said, monkeypatch):
    unpacked = 0

    class Counting:
        def __init__(self, real):
            self._real = real

        def __getattr__(self, name):
            return getattr(self._real, name)

        def decompress(self, *arguments):
            nonlocal unpacked
            piece = self._real.decompress(*arguments)
            unpacked += len(piece)
            return piece

    make = zlib.decompressobj
    monkeypatch.setattr(body.zlib, "decompressobj", lambda bits: Counting(make(bits)))
    packed = gzip.compress(bytes(8 << 20))[:-4] + said.to_bytes(4, "little")
    with pytest.raises(RequestError, match="not gzip"):
        unpack(packed)
    assert unpacked <= said + (1 << 20)


@pytest.mark.parametrize(
    ("connected", "raised"), [(False, ConnectionResetError), (True, RuntimeError)]
)
def test_a_client_that_left_is_not_a_failure_of_the_server(connected, raised):
    async def leave():
        raise RuntimeError("Connection closed.")

    request = SimpleNamespace(
        headers={},
        content_length=9,
        content=SimpleNamespace(readany=leave),
        protocol=SimpleNamespace(connected=connected),
    )

    async def case():
        deadline = asyncio.get_running_loop().time() + 60
        with Share(Budget(LIMITS.memory_bytes)) as share:
            await body.read(request, share, LIMITS, deadline, at_once)

    with pytest.raises(raised):
        asyncio.run(case())
