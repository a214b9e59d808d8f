import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import yaml

from serving.tensorflow_serving.compose import compose, health_script
from serving.tensorflow_serving.settings import DeploymentSettings
from tests.serving.tensorflow_serving.manifests import changed

SERVICE = "services.tensorflow-serving"


@pytest.fixture
def composed(served, model, tmp_path):
    return compose(
        served,
        DeploymentSettings(),
        contents={"models.config": "1"},
        model_path=model,
        out=tmp_path / "deploy",
    )


def problem(document, path):
    """What check-jsonschema says of a file under the schema of the Compose specification."""
    path.write_text(yaml.safe_dump(document))
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", path],
        capture_output=True,
        text=True,
        check=False,
    )
    return checked.stdout if checked.returncode else None


def test_it_is_a_compose_file(composed, tmp_path):
    assert problem(composed, tmp_path / "compose.yaml") is None


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (f"{SERVICE}.comand", ["--port=1"], "'comand' was unexpected"),
        (f"{SERVICE}.ports", 8500, "8500 is not of type 'array'"),
        (f"{SERVICE}.volumes.0.bind.creates", True, "volumes"),
        ("servises", {}, "'servises'"),
    ],
)
def test_a_damaged_file_is_none(composed, tmp_path, path, value, named):
    assert named in problem(changed(composed, path, value), tmp_path / "compose.yaml")


def test_the_paths_lead_from_the_file_to_the_model_and_the_configuration(composed, model, tmp_path):
    (service,) = composed["services"].values()
    targets = {
        mount["target"]: (tmp_path / "deploy" / mount["source"]).resolve()
        for mount in service["volumes"]
    }
    assert targets == {
        "/models/chest_xray": model.resolve(),
        "/etc/tensorflow_serving": (tmp_path / "deploy").resolve(),
    }
    assert all(mount["read_only"] for mount in service["volumes"])
    assert str(tmp_path) not in yaml.safe_dump(composed)


def test_the_image_is_pulled_by_its_digest(served, model, tmp_path):
    settings = DeploymentSettings(image_digest=f"sha256:{'a' * 64}")
    composed = compose(served, settings, contents={}, model_path=model, out=tmp_path)
    (service,) = composed["services"].values()
    assert service["image"] == f"tensorflow/serving:2.19.1@sha256:{'a' * 64}"


def test_a_dollar_in_a_path_opens_no_variable(served, model, tmp_path):
    moved = model.rename(tmp_path / "$HOME")
    composed = compose(
        served, DeploymentSettings(), contents={}, model_path=moved, out=tmp_path / "deploy"
    )
    (service,) = composed["services"].values()
    assert service["volumes"][0]["source"] == "../$$HOME"


def test_a_model_below_the_file_is_a_path_too(served, model, tmp_path):
    composed = compose(
        served, DeploymentSettings(), contents={}, model_path=model, out=tmp_path / "pushed"
    )
    (service,) = composed["services"].values()
    assert service["volumes"][0]["source"] == "./chest_xray"


def test_the_server_runs_without_rights_and_is_reached_from_this_machine_alone(composed):
    (service,) = composed["services"].values()
    assert service["read_only"] is True
    assert service["init"] is True
    assert service["user"] == "1000:1000"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["ports"] == ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"]


def test_another_configuration_starts_another_server(served, model, tmp_path):
    labels = [
        compose(served, DeploymentSettings(), contents={"b": text}, model_path=model, out=tmp_path)[
            "services"
        ]["tensorflow-serving"]["labels"]
        for text in ("1", "2")
    ]
    assert labels[0] != labels[1]


@pytest.fixture
def server():
    """A server whose response is its attribute ``status``; it keeps the requested paths."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.requested.append(self.path)
            self.send_response(self.server.status)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.requested = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def healthy(served, port):
    script = health_script(served).replace("/8501", f"/{port}")
    return subprocess.run(["bash", "-c", script], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(("status", "expected"), [(200, True), (404, False), (503, False)])
def test_the_health_script_checks_whether_the_stable_version_is_loaded(
    served, server, status, expected
):
    server.status = status
    assert healthy(served, server.server_port) is expected
    assert server.requested == ["/v1/models/chest_xray/labels/stable/metadata"]


def test_a_server_that_is_not_up_is_not_healthy(served, server):
    port = server.server_port
    server.server_close()
    assert not healthy(served, port)
