"""Beam's own boot program starts workers in the environment of the image, on a real Flink.

Built from Beam's sources, which takes minutes, it is named by a variable:

    GOBIN=/tmp/boot go install github.com/apache/beam/sdks/v2/python/container@v2.77.0
    BEAM_BOOT=/tmp/boot/container pytest tests/serving/beam/flink/test_boot.py
"""

import ensurepip
import json
import os
import sys
from pathlib import Path

import pytest

from components.convert.convert import convert
from components.synthetic.generate import generate
from serving.beam.beam_args import DEFAULT_BEAM_ARGS, flink_args
from serving.images.settings import DatasetSettings
from tests.pipeline.command import REPOSITORY
from tests.serving.beam.flink.needed import skip_without_flink

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(1800)]

ENTRYPOINT = REPOSITORY / "pipeline/image/entrypoint.sh"


@pytest.fixture
def worker(tmp_path):
    """The image's script in the image's environment, as a program of a TaskManager."""
    boot = os.environ.get("BEAM_BOOT")
    if not boot:
        pytest.skip("BEAM_BOOT does not name Beam's boot program; see the head of this file.")
    skip_without_flink()
    (pip,) = Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl")
    script = ENTRYPOINT.read_text().replace("/opt/apache/beam/boot", boot)
    script = script.replace("semi_persist_dir=/tmp", f"semi_persist_dir={tmp_path}")
    started = tmp_path / "started"
    program = tmp_path / "worker"
    program.write_text(
        f"#!/bin/sh\ncd {tmp_path}\necho start >> {started}\n"
        # As in the Dockerfile: the environment first on the path, and pip in it.
        f"export PATH={Path(sys.executable).parent}:$PATH PYTHONPATH={pip}:{REPOSITORY}\n"
        "export RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1\n" + script
    )
    program.chmod(0o755)
    yield str(program)
    assert started.read_text()


def test_the_images_worker_converts_as_the_local_runner_does(worker, tmp_path):
    images = tmp_path / "images"
    generate(images, images=60, seed=1)
    settings = DatasetSettings(max_bad=0.5)
    here = convert(images, tmp_path / "here", settings=settings, seed=1)
    environment = json.dumps({"command": worker})
    args = (
        *DEFAULT_BEAM_ARGS,
        *flink_args("local"),
        "--environment_type=PROCESS",
        f"--environment_config={environment}",
    )
    there = convert(images, tmp_path / "there", settings=settings, seed=1, beam_args=args)
    assert there == here
