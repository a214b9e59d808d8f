"""The package as `pip install .` installs it, used outside of the checkout."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.pipeline.command import REPOSITORY, UV

pytestmark = pytest.mark.slow

PACKAGES = ("pipeline", "components", "transform_module", "trainer_module", "serving")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    # Built from a copy: setuptools leaves its work beside `setup.py`, and takes it up again.
    source = tmp_path_factory.mktemp("source")
    for name in PACKAGES:
        shutil.copytree(REPOSITORY / name, source / name)
    for name in ("setup.py", "pyproject.toml", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [
            *(UV, "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"),
            *("--python", sys.executable, "--target", str(folder), str(source)),
        ],
        check=True,
    )
    return folder


def cxr(installed, *arguments):
    done = subprocess.run(
        [sys.executable, str(installed / "bin" / "cxr"), *arguments],
        cwd=installed,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_holds_every_module_of_the_checkout(installed):
    for package in PACKAGES:
        for path in (REPOSITORY / package).rglob("*.py"):
            assert (installed / path.relative_to(REPOSITORY)).is_file()


def test_it_holds_no_tests(installed):
    assert not (installed / "tests").exists()


def test_the_command_runs_with_its_presets(installed):
    assert 'name: "demo"' in cxr(installed, "config", "--show", "--config", "demo")


def test_the_command_draws_and_converts(installed):
    cxr(installed, "synth", "images", "--count", "60")
    assert "Fingerprint" in cxr(installed, "convert", "images", "examples")
