"""Beam's engines start the image with options, and get its worker; all others get their program."""

import subprocess

import pytest

from tests.pipeline.command import REPOSITORY

ENTRYPOINT = REPOSITORY / "pipeline/image/entrypoint.sh"
BOOT = "/opt/apache/beam/boot"


@pytest.fixture
def start(tmp_path):
    """Starts the image's script with a boot program that prints its arguments."""
    boot, script = tmp_path / "boot", tmp_path / "entrypoint.sh"
    boot.write_text('#!/bin/sh\necho boot "$@"\n')
    boot.chmod(0o755)
    script.write_text(ENTRYPOINT.read_text().replace(BOOT, str(boot)))

    def run(*arguments):
        return subprocess.run(
            ["sh", script, *arguments], capture_output=True, text=True, check=True
        ).stdout

    return run


def test_options_alone_are_for_beams_boot_program(start):
    given = ["--id=1-1", "--semi_persist_dir=/var/opt/google"]
    assert start(*given) == f"boot {' '.join(given)} --semi_persist_dir=/tmp\n"


def test_a_program_is_started_with_its_arguments(start):
    assert start("printf", "%s-", "two words", "--help") == "two words---help-"


def test_the_boot_program_is_of_the_locked_release():
    image = (REPOSITORY / "pipeline/image/Dockerfile").read_text()
    (locked,) = (
        line.split()[0].removeprefix("apache-beam==")
        for line in (REPOSITORY / "requirements.lock").read_text().splitlines()
        if line.startswith("apache-beam==")
    )
    assert f"FROM apache/beam_python3.11_sdk:{locked} AS beam\n" in image
    assert f"COPY --from=beam {BOOT} {BOOT}\n" in image
    assert ENTRYPOINT.stat().st_mode & 0o111
