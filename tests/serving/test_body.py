import gzip

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from serving import body
from serving.status import RequestError


@given(st.binary())
def test_what_was_packed_is_unpacked(content):
    assert body.unpack(gzip.compress(content)) == content


@given(st.binary(min_size=1), st.data())
def test_what_is_cut_off_is_refused(content, data):
    packed = gzip.compress(content)
    with pytest.raises(RequestError, match="no gzip"):
        body.unpack(packed[: data.draw(st.integers(0, len(packed) - 1))])


@given(st.binary())
def test_other_bytes_are_refused(content):
    with pytest.raises(RequestError, match="no gzip") as refused:
        body.unpack(b"x" + content)
    assert refused.value.http == 400


def test_what_follows_is_refused():
    with pytest.raises(RequestError, match="more follows"):
        body.unpack(gzip.compress(b"{}") + b"x")


def test_a_small_body_that_unpacks_to_a_large_one_is_refused(monkeypatch):
    monkeypatch.setattr(body, "MAXIMUM_BODY", 1 << 20)
    assert len(body.unpack(gzip.compress(bytes(1 << 20)))) == 1 << 20
    with pytest.raises(web.HTTPRequestEntityTooLarge):
        body.unpack(gzip.compress(bytes((1 << 20) + 1)))
