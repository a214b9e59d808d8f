import fcntl
import json
import os

import pytest


@pytest.fixture(scope="module", params=["local", "beam"])
def orchestrated(request, tmp_path_factory):
    """A root for runs of cheap components, once for each orchestrator."""
    # TFX takes seconds to import, and most tests need none of it.
    from tests.pipeline.orchestrated import Place

    with pytest.MonkeyPatch.context() as patch:
        # A run sets this for its workers; it is set back here.
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        yield Place(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """A run of the small pipeline, which all workers share: its folder, to be read, and record."""
    from tests.pipeline.command import run

    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, record = base / "small_run", base / "small_run.json"
    with (base / "small_run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not record.exists():
            record.write_text(json.dumps(run(folder / "root")))
    return folder, json.loads(record.read_text())


@pytest.fixture
def printed(capsys, monkeypatch):
    """Returns what was printed so far, none of whose lines ends with a blank."""
    from rich.console import Console

    from pipeline.cli.output import cells

    monkeypatch.setattr(cells.shutil, "which", lambda name: f"/bin/{name}")
    print_ = Console.print

    def checked(console, *objects, **options):
        with console.capture() as capture:
            print_(console, *objects, **options)
        text = capture.get()
        assert not any(line.endswith(" ") for line in text.splitlines())
        console.file.write(text)

    monkeypatch.setattr(Console, "print", checked)
    return lambda: capsys.readouterr().out


@pytest.fixture(scope="session")
def compiled_files(tmp_path_factory):
    """The compiled file by its target."""
    from pipeline.runners import kubeflow, specification, vertex
    from tests.pipeline.cluster_configuration import configured

    folder = tmp_path_factory.mktemp("compiled")
    config = configured()
    job = specification.specify(config)
    files = {"kubeflow": folder / "pipeline.yaml", "vertex": folder / "job.json"}
    files["kubeflow"].write_text(kubeflow.render(job, config.cluster))
    files["vertex"].write_text(vertex.render(job))
    return files


@pytest.fixture
def kubeflow_server(monkeypatch, tmp_path):
    from tests.pipeline.cluster.submission import loopback

    # The client keeps settings and credentials in the home folder.
    monkeypatch.setenv("HOME", str(tmp_path))
    with loopback.serving(loopback.kubeflow) as server:
        yield server
