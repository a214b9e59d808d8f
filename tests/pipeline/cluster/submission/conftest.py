import pytest
from google.cloud.aiplatform.utils import resource_manager_utils

from pipeline.cluster.submission import retries
from pipeline.runners import kubeflow, specification, vertex
from tests.google_account import log_in
from tests.pipeline.cluster import configured
from tests.pipeline.cluster.submission import loopback


@pytest.fixture(scope="session")
def compiled_files(tmp_path_factory):
    """The compiled file by its target."""
    folder = tmp_path_factory.mktemp("compiled")
    job = specification.specify(configured())
    files = {}
    for target, render, name in (
        ("kubeflow", kubeflow.render, "pipeline.yaml"),
        ("vertex", vertex.render, "job.json"),
    ):
        files[target] = folder / name
        files[target].write_text(render(job))
    return files


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(retries, "_FIRST_PAUSE_SECONDS", 0.001)


@pytest.fixture
def kubeflow_server(monkeypatch, tmp_path):
    # The client keeps settings and credentials in the home folder.
    monkeypatch.setenv("HOME", str(tmp_path))
    with loopback.serving(loopback.kubeflow) as server:
        yield server


@pytest.fixture
def vertex_server(monkeypatch, tmp_path):
    with loopback.serving(loopback.vertex) as server:
        log_in(monkeypatch, tmp_path, server.url)
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        # The client asks another service, at a fixed address, whose the root's bucket is.
        monkeypatch.setattr(resource_manager_utils, "get_project_number", lambda *_, **__: "1")
        yield server
