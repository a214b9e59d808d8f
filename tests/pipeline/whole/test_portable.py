"""Beam's workers in other processes, which have only the package that setup.py builds.

What would show only on Dataflow shows here: something that cannot be pickled, a module that is not
in the package, code that reads this process's state. The job service is Beam's own.
"""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.cluster.rehearsal.task_container import GUARD
from serving.images.dataset import Dataset
from tests.pipeline.command import REPOSITORY, SMALL, UV, cxr, figures, same_figures
from tests.ports import reserved

pytestmark = [pytest.mark.slow, pytest.mark.e2e]


@pytest.fixture(scope="module")
def port():
    """Of the workers, which share it with the one that holds it."""
    with reserved() as (found,):
        yield found


def installed(kind, folder):
    """Builds the package and installs it alone; returns the folder that holds it."""
    command = {"wheel": "bdist_wheel", "sdist": "sdist"}[kind]
    subprocess.run(
        [
            *(sys.executable, "setup.py", "-q", "egg_info", "--egg-base", folder),
            *(command, "--dist-dir", folder / "dist"),
            *(["--bdist-dir", folder / "build"] if kind == "wheel" else []),
        ],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    (built,) = (folder / "dist").iterdir()
    target = folder / "installed"
    subprocess.run(
        [
            *(UV, "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"),
            *("--python", sys.executable, "--target", target, built),
        ],
        check=True,
        capture_output=True,
    )
    return target


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A folder that holds the package alone."""
    target = installed("wheel", tmp_path_factory.mktemp("wheel"))
    (target / "sitecustomize.py").write_text(GUARD)
    return target


@pytest.fixture(scope="module")
def beam_args(package, tmp_path_factory, port):
    """Options for workers that have only the package."""
    folder = tmp_path_factory.mktemp("workers")
    environment = {
        # The workers are started by the name `python`.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": str(package),
        "CUDA_VISIBLE_DEVICES": "",
    }
    with (folder / "log").open("wb") as log:
        pool = subprocess.Popen(
            [
                *(sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main"),
                *("--service_port", str(port)),
            ],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
        )
    deadline = time.monotonic() + 300
    while not _listens(port):
        assert pool.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline, "the workers do not come"
        time.sleep(0.1)
    yield [
        "--runner=PortableRunner",
        "--job_endpoint=embed",
        "--environment_type=EXTERNAL",
        f"--environment_config=127.0.0.1:{port}",
    ]
    pool.terminate()
    pool.wait()


def _listens(port):
    with closing(socket.socket()) as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def as_options(beam_args):
    return [f"--beam-arg={each}" for each in beam_args]


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_the_package_holds_what_the_checkout_does(kind, tmp_path):
    package = installed(kind, tmp_path)
    for module in ("components/convert/convert.py", "trainer_module/run.py"):
        assert (package / module).read_text() == (REPOSITORY / module).read_text()
    assert (package / "pipeline" / "configs" / "demo.yaml").exists()
    assert not (package / "tests").exists()


def test_conversion_and_prediction_come_to_the_same(small_run, beam_args, tmp_path):
    folder, record = small_run
    images = folder / "root" / "images"
    options = as_options(beam_args)
    message = cxr("convert", images, tmp_path / "out", "--json", *options)
    assert Dataset.model_validate_json(message).fingerprint == record["dataset_fingerprint"]

    model, predictions = record["push"]["path"], {}
    for name, given in (("here", []), ("there", options)):
        out = tmp_path / f"{name}.jsonl"
        cxr("predict", model, images / "test", "--out", out, *given)
        rows = map(json.loads, out.read_text().splitlines())
        predictions[name] = {row["path"]: (row["label"], row["valid"]) for row in rows}
    assert predictions["here"] == predictions["there"]
    assert predictions["there"]


def test_a_run_comes_to_the_same(small_run, beam_args, tmp_path):
    _, record = small_run
    (tmp_path / "small.yaml").write_text(SMALL)
    message = cxr(
        *("run", "--json", "--root", tmp_path / "root", "--config", tmp_path / "small.yaml"),
        *("--set", f"beam.args={json.dumps(beam_args)}"),
    )
    there = json.loads(message)
    # Sums over the images come in another order.
    assert figures(there) == same_figures(record)
    assert there["push"]["pushed"]
