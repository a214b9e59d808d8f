import pytest
from google.cloud.aiplatform.utils import resource_manager_utils

from pipeline.cluster.submission import retries
from tests.google_account import log_in
from tests.pipeline.cluster.submission import loopback


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(retries, "_FIRST_PAUSE_SECONDS", 0.001)


@pytest.fixture
def vertex_server(monkeypatch, tmp_path):
    with loopback.serving(loopback.vertex) as server:
        log_in(monkeypatch, tmp_path, server.url)
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        # The client queries another service, at a fixed address, whose the root's bucket is.
        monkeypatch.setattr(resource_manager_utils, "get_project_number", lambda *_, **__: "1")
        yield server
