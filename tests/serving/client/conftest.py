from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.protobuf import text_format

from tests.serving import certificates
from tests.serving.certificates import Authority
from tests.serving.client import stubs
from tests.serving.client.calling import KINDS, Caller
from tests.serving.client.stubs import APIS, Stub
from tests.serving.running import running


@pytest.fixture(scope="session")
def version(tmp_path_factory) -> Path:
    """The folder of a small model's version, served as chest_xray."""
    from tests.serving.saved import save

    return save(tmp_path_factory.mktemp("pushed") / "chest_xray" / "17", has_triage=True)


@pytest.fixture(scope="session")
def authority() -> Authority:
    """Signs the certificates of the server and of its clients."""
    return Authority()


@pytest.fixture
def authority_file(authority, tmp_path) -> Path:
    file = tmp_path / "authority.pem"
    file.write_text(authority.certificate)
    return file


@pytest.fixture
def client_files(authority, tmp_path) -> tuple[Path, Path]:
    """A client's certificate and its key."""
    return pair_files(authority, tmp_path / "client")


def pair_files(authority: Authority, folder: Path) -> tuple[Path, Path]:
    certificate, key = certificates.write(folder, authority.sign("client"))
    return Path(certificate), Path(key)


@dataclass(frozen=True)
class Served:
    """The URLs of a running server, by API."""

    rest: str
    grpc: str


@pytest.fixture(scope="session")
def _both(version, authority, tmp_path_factory) -> Iterator[tuple[Served, Served]]:
    """A server in the clear and one that requires certificates, which start side by side."""
    ssl_config = tmp_path_factory.mktemp("encrypted") / "ssl_config"
    config = certificates.ssl_config(authority.sign("server"), authority, verify=True)
    ssl_config.write_text(text_format.MessageToString(config))
    options = ["--allow-unverified"], ["--allow-unverified", "--ssl-config-file", ssl_config]
    servers = [running(version.parent, *each) for each in options]
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        plain, encrypted = pool.map(stack.enter_context, servers)
        yield (
            Served(plain.rest, f"grpc://{plain.grpc}"),
            Served(encrypted.rest, f"grpcs://{encrypted.grpc}"),
        )
        for each in (plain, encrypted):
            each.process.terminate()  # so that both end at the same time


@pytest.fixture(scope="session")
def served(_both) -> Served:
    """The embedded server."""
    return _both[0]


@pytest.fixture(scope="session")
def encrypted(_both) -> Served:
    """The embedded server, encrypted, for clients with a certificate."""
    return _both[1]


@pytest.fixture(params=KINDS)
def call(request) -> Caller:
    """Asks with the blocking or the asynchronous client."""
    return request.param


@pytest.fixture(params=APIS)
def stub(request) -> Iterator[Stub]:
    """A stub of either API."""
    with request.param(Stub()) as running:
        yield running


@pytest.fixture
def rest_stub() -> Iterator[Stub]:
    with stubs.rest(Stub()) as running:
        yield running


@pytest.fixture
def rpc_stub() -> Iterator[Stub]:
    with stubs.rpc(Stub()) as running:
        yield running


@pytest.fixture
def quick(monkeypatch) -> None:
    """Short pauses before a call is made again."""
    monkeypatch.setattr("serving.client.attempts._FIRST_PAUSE", 0.01)
