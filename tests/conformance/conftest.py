"""TensorFlow Serving's public API, against any server of a pushed chest X-ray model.

Against a running server:

    pytest tests/conformance --url http://127.0.0.1:8501 --grpc 127.0.0.1:8500 --model chest_xray

For example TensorFlow Serving itself:

    docker run --rm -p 8500:8500 -p 8501:8501 -e MODEL_NAME=chest_xray \
        -v "$PWD/cxr-root/pushed/chest_xray:/models/chest_xray" tensorflow/serving

Without ``--grpc`` the cases over gRPC are skipped. The options work where this folder is named on
the command line, because pytest reads this file too late otherwise.

Without ``--url`` the project's embedded server is started, with a small model that has more
signatures than a pushed one. Cases that need these are skipped on a server that lacks them.
"""

from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest

from tests.conformance.clients import TIMEOUT, Grpc, Rest, Server, response_of
from tests.conformance.models import LABEL, OLDER_VERSION, VERSION, save
from tests.serving.running import running

MESSAGE_BYTES = 64 * 1024 * 1024


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption("--url", help="REST address of a running server, http://127.0.0.1:8501")
    group.addoption("--grpc", help="gRPC address of the same server, 127.0.0.1:8500")
    group.addoption("--model", default="chest_xray", help="name of the served model")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "signature(name): needs this signature in the served model")
    config.addinivalue_line("markers", "embedded(reason): only for the project's embedded server")


@pytest.fixture(scope="session")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The server under test: the one that was named, or the embedded one."""
    option = request.config.getoption
    url = option("--url", default=None)
    if url:
        yield Server(
            rest=url.rstrip("/"),
            grpc=option("--grpc", default=None),
            model=option("--model", default="chest_xray"),
            embedded=False,
        )
        return
    folder = tmp_path_factory.mktemp("conformance")
    yield from _embedded(folder)


def _embedded(folder: Path) -> Iterator[Server]:
    model = folder / "chest_xray"
    save(model / str(OLDER_VERSION), white=510.0)
    save(model / str(VERSION))
    config = folder / "models.config"
    config.write_text(
        f'model_config_list {{ config {{ name: "chest_xray" base_path: "{model}" '
        f'version_labels {{ key: "{LABEL}" value: {VERSION} }} }} }}'
    )
    # The tests' model was never pushed, and so cannot be verified.
    with running("--model-config-file", config, "--allow-unverified") as server:
        yield Server(
            rest=server.rest,
            grpc=server.grpc,
            model="chest_xray",
            embedded=True,
        )


@pytest.fixture(scope="session")
def rest(server: Server) -> Iterator[Rest]:
    with httpx.Client(base_url=server.rest, timeout=TIMEOUT, trust_env=False) as client:
        yield Rest(client, server.model)


@pytest.fixture(scope="session")
def rpc(server: Server) -> Iterator[Grpc]:
    if server.grpc is None:
        pytest.skip("the server's gRPC address was not given (--grpc)")
    options = [
        ("grpc.max_receive_message_length", MESSAGE_BYTES),
        ("grpc.max_send_message_length", MESSAGE_BYTES),
        ("grpc.enable_http_proxy", 0),
    ]
    with grpc.insecure_channel(server.grpc, options=options) as channel:
        yield Grpc(channel, server.model)


@pytest.fixture(scope="session")
def version(server: Server, rest: Rest) -> int:
    """The version that is served."""
    if server.embedded:
        return VERSION
    statuses = response_of(rest.get())["model_version_status"]
    return max(int(one["version"]) for one in statuses if one["state"] == "AVAILABLE")


@pytest.fixture(scope="session")
def signatures(rest: Rest) -> dict[str, dict]:
    """The served model's signatures, from its metadata."""
    return response_of(rest.get("/metadata"))["metadata"]["signature_def"]["signature_def"]


@pytest.fixture(autouse=True)
def _suited(request: pytest.FixtureRequest, server: Server) -> None:
    """Skips a case that the server under test cannot serve."""
    marker = request.node.get_closest_marker("embedded")
    if marker and not server.embedded:
        pytest.skip(marker.args[0])
    # The embedded server's model has every signature, so its cases do not depend on metadata.
    if server.embedded:
        return
    known = request.getfixturevalue("signatures")
    for marker in request.node.iter_markers("signature"):
        if marker.args[0] not in known:
            pytest.skip(f"the served model has no signature {marker.args[0]}")
