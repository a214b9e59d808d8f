import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.cloud.aiplatform.utils import resource_manager_utils

from pipeline.runners import kubeflow, specification, vertex
from pipeline.submission import attempts
from tests.pipeline.cluster import configured
from tests.pipeline.submission import loopback


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
    monkeypatch.setattr(attempts, "_FIRST_PAUSE_SECONDS", 0.001)


@pytest.fixture
def kubeflow_server(monkeypatch, tmp_path):
    # The client keeps settings and credentials in the home folder.
    monkeypatch.setenv("HOME", str(tmp_path))
    with loopback.serving(loopback.kubeflow) as server:
        yield server


@pytest.fixture
def vertex_server(monkeypatch, tmp_path):
    with loopback.serving(loopback.vertex) as server:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        account = {
            "type": "service_account",
            "project_id": "p",
            "private_key_id": "k",
            "private_key": key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ).decode(),
            "client_email": "cxr@p.example",
            "client_id": "1",
            "token_uri": f"{server.url}/token",
        }
        file = tmp_path / "account.json"
        file.write_text(json.dumps(account))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
        # The client asks another service, at a fixed address, whose the root's bucket is.
        monkeypatch.setattr(resource_manager_utils, "get_project_number", lambda *_, **__: "1")
        yield server
