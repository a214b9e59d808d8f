import pytest

from serving.client import connect, connect_async
from serving.client.address import parse
from transform_module.errors import UserError

DEFAULTS = {"model": "m", "version": None, "label": None, "timeout": 30.0, "tls": None}


@pytest.mark.parametrize(
    ("url", "address", "model_url"),
    [
        ("http://host:8501", "host:8501", "http://host:8501/v1/models/m"),
        ("HTTP://Host/", "host:80", "http://host:80/v1/models/m"),
        ("https://host/a/b/", "host:443", "https://host:443/a/b/v1/models/m"),
        ("http://[::1]:1", "[::1]:1", "http://[::1]:1/v1/models/m"),
        ("grpc://host", "host:8500", None),
        ("grpcs://[::1]:7/", "[::1]:7", None),
    ],
)
def test_a_url_is_read(url, address, model_url):
    endpoint = parse(url, **DEFAULTS)
    assert endpoint.address == address
    assert endpoint.is_rest == (model_url is not None)
    assert endpoint.is_encrypted == (endpoint.scheme in ("https", "grpcs"))
    if model_url:
        assert endpoint.model_url == model_url


@pytest.mark.parametrize("make", [connect, connect_async])
@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8500",
        "localhost:8501",
        "ftp://host",
        "http://",
        "http://host:port",
        "http://host:99999",
        "http://[::1",
        "http://host?query",
        "http://host#fragment",
        "http://hörst",
        "grpc://host:8500/path",
    ],
)
def test_what_is_not_a_url_of_a_server_is_reported(make, url):
    with pytest.raises(UserError, match="is not a URL") as caught:
        make(url)
    assert url in str(caught.value)


def test_a_password_is_not_repeated():
    with pytest.raises(UserError, match="names a user") as caught:
        connect("https://me:secret@host")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"version": 3, "label": "stable"}, "Give version 3 or label stable, not both"),
        ({"timeout": 0}, "A timeout of 0 s"),
        ({"timeout": -1}, "A timeout of -1 s"),
        ({"timeout": float("inf")}, "A timeout of inf s"),
    ],
)
def test_options_that_make_no_sense_are_reported(options, message):
    for url in ("http://host", "grpc://host"):
        with pytest.raises(UserError, match=message):
            connect(url, **options)
