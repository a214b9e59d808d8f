"""`cxr predict --url`: the options of the client, and each failure in a sentence."""

import socket
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.cli.main import main
from serving.client import Tls
from tests.serving.client import stubs
from tests.serving.client.stubs import HANG, MISSING, Stub


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "xray.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    return path


def failure(*arguments, code=1):
    result = CliRunner().invoke(main, ["predict", *map(str, arguments)])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.stderr
    return " ".join(result.stderr.split())


def test_every_option_reaches_the_client(monkeypatch, image):
    passed = {}

    @contextmanager
    def connect(url, **options):
        passed.update(url=url, **options)
        with stubs.rest(Stub()) as stub, real(stub.url) as client:
            yield client

    from serving.client import connect as real

    monkeypatch.setattr("serving.client.connect", connect)
    options = {
        "--url": "grpcs://x",
        "--model-name": "m",
        "--version": "3",
        "--label": "stable",
        "--timeout": "2.5",
        "--ca-cert": "a.pem",
        "--certificate": "c.pem",
        "--key": "k.pem",
    }
    given = [text for pair in options.items() for text in pair]
    result = CliRunner().invoke(main, ["predict", *given, str(image)])
    assert result.exit_code == 0, result.output
    assert "NORMAL" in result.stdout
    assert passed == {
        "url": "grpcs://x",
        "model": "m",
        "version": 3,
        "label": "stable",
        "timeout": 2.5,
        "tls": Tls(Path("a.pem"), Path("c.pem"), Path("k.pem")),
    }


@pytest.mark.parametrize(
    "option", ["--model-name", "--version", "--label", "--timeout", "--ca-cert", "--key"]
)
def test_an_option_of_the_client_needs_a_url(option, image):
    assert f"{option} needs --url." in failure(option, "1", "model", image, code=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--url", "127.0.0.1:8501"),
            "127.0.0.1:8501 is not a URL of a server of models. Give http",
        ),
        (("--url", "ftp://h"), "ftp://h is not a URL of a server of models. Give http"),
        (("--url", "http://h:99999"), "http://h:99999 is not a URL: Port out of range"),
        (("--url", "http://me:secret@h"), "The URL names a user."),
        (("--url", "http://h", "--ca-cert", "a"), "not encrypted, and TLS files are given."),
        (("--url", "https://h", "--ca-cert", "a"), "a cannot be used for TLS: [Errno 2]"),
        (("--url", "https://h", "--key", "k"), "k is a key without a certificate."),
        (("--url", "http://h", "--timeout", "inf"), "A timeout of inf s is invalid."),
        (("--url", "http://h", "--version", "3", "--label", "a"), "Give version 3 or label a, not"),
    ],
)
def test_values_that_cannot_be_used_are_named(arguments, message, image):
    said = failure(*arguments, image)
    assert message in said
    assert "secret" not in said


@pytest.mark.parametrize(("option", "value"), [("--version", "0"), ("--timeout", "0")])
def test_numbers_out_of_bounds_are_refused(option, value, image):
    assert f"Invalid value for '{option}'" in failure(
        "--url", "http://h", option, value, image, code=2
    )


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_a_refused_connection(scheme, image):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and does not listen
        url = f"{scheme}://127.0.0.1:{bound.getsockname()[1]}"
        assert f"{url} is not available: " in failure("--url", url, image)


def test_a_server_without_tls(image):
    with stubs.rest(Stub()) as stub:
        url = stub.url.replace("http", "https")
        said = failure("--url", url, image)
    assert f"{url}: no encrypted connection was agreed upon: " in said
    assert said.endswith("See --ca-cert, --certificate and --key.")


def test_a_server_that_takes_too_long(image):
    with stubs.rest(Stub([HANG])) as stub:
        said = failure("--url", stub.url, "--timeout", "0.2", image)
    assert f"{stub.url} sent no response for chest_xray within 0.2 s." in said
    assert said.endswith("See --timeout.")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--model-name", "mri"), "mri"),
        (("--version", "3"), "chest_xray, version 3"),
        (("--label", "stable"), "chest_xray, label stable"),
    ],
)
def test_a_model_that_is_not_served(options, named, image):
    with stubs.rest(Stub([MISSING])) as stub:
        said = failure("--url", stub.url, *options, image)
    assert f"{stub.url} does not serve {named}. It says: {stubs.MESSAGE}." in said
    assert said.endswith("See --model-name, --version and --label.")
