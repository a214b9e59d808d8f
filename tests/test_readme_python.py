"""The READMEs' examples in Python, as they are printed there."""

import subprocess
import sys

import pytest

from components.synthetic.generate import generate
from pipeline.root.root import Root
from pipeline.run_records.run_record import load_all
from tests.pipeline.command import REPOSITORY
from tests.readmes import MAIN, read
from tests.serving.running import running
from tests.serving.saved import save, write_manifest
from tests.serving.small_model import xray

PREDICT, KERAS, RUN = MAIN.blocks("python")
(RECORD,) = read("pipeline/README.md").blocks("python")
DEPLOYMENT, CLIENT = read("serving/README.md").blocks("python")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with what the examples name."""
    version = tmp_path / "cxr-root" / "pushed" / "chest_xray" / "1"
    write_manifest(save(version, has_domain=True))
    (tmp_path / "xray.jpeg").write_bytes(xray(200))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "dark.png").write_bytes(xray(20))
    (tmp_path / "folder" / "broken.png").write_bytes(b"no image")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("example", [PREDICT, KERAS, RUN, RECORD, DEPLOYMENT, CLIENT])
def test_an_example_is_short(example):
    assert len(example.strip().splitlines()) <= 7


@pytest.mark.usefixtures("folder")
def test_predict_takes_paths_as_text(capsys):
    exec(PREDICT, {})
    first, broken, dark = capsys.readouterr().out.splitlines()
    assert first.startswith("xray.jpeg PNEUMONIA 0.78")
    assert broken.startswith("folder/broken.png INVALID None None ")
    assert dark.startswith("folder/dark.png NORMAL 0.07")


@pytest.mark.usefixtures("folder")
def test_keras_reads_the_folder_as_a_layer(capsys):
    exec(KERAS, {})
    assert capsys.readouterr().out.startswith("[b'PNEUMONIA'] [0.78")


def test_the_files_of_a_deployment_are_written(folder):
    exec(DEPLOYMENT, {})
    assert "edge" in (folder / "deployment" / "kubernetes.yaml").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_client_calls_a_server(folder, capsys):
    with running(folder / "cxr-root" / "pushed" / "chest_xray") as server:
        exec(CLIENT.replace("127.0.0.1:8500", server.grpc), {})
    assert capsys.readouterr().out.startswith("PNEUMONIA 0.78")


@pytest.mark.e2e
@pytest.mark.timeout(3600)
def test_a_run_from_python_ends_with_its_record(tmp_path):
    generate(tmp_path / "chest_xray", images=120, seed=7)
    for example in (RUN, RECORD):
        printed = subprocess.run(
            [sys.executable, "-c", f"import sys\nsys.path.append({str(REPOSITORY)!r})\n{example}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        record = load_all(Root.at(tmp_path / "cxr-root").runs, None)[-1]
        assert printed.splitlines()[0].startswith(f"{record.state} ")
        assert record.state in ("finished", "refused")
        assert record.evaluation["slices"]["Overall"]["auc"] is not None
    assert record.preset == "fast"
    assert str(record.training.parameters) in printed
