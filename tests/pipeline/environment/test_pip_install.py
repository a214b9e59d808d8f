from dataclasses import replace

import pytest

from pipeline.environment import pip_install
from tests.pipeline.environment import machines


@pytest.fixture(autouse=True)
def compiler(monkeypatch):
    monkeypatch.setattr(pip_install, "_has_farmhash", lambda: False)
    monkeypatch.setattr(pip_install, "_can_compile", lambda: True)


@pytest.mark.parametrize(
    "machine",
    [machines.DEBIAN_13, machines.UBUNTU_24_04, machines.FEDORA_41, machines.APPLE_SILICON],
    ids=lambda machine: machine.os_name,
)
def test_nothing_stops_pip_where_the_wheels_run_as_they_are(machine):
    assert pip_install.obstacles(machine) == []


def test_a_full_disk_is_left_to_pip():
    assert pip_install.obstacles(replace(machines.DEBIAN_13, free_bytes=0)) == []


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (machines.DEBIAN_12, ["has glibc 2.36", "`make setup`", "docker run"]),
        (machines.UBUNTU_22_04, ["has glibc 2.35", "`make setup`"]),
        (machines.ROCKY_9, ["has glibc 2.34", "docker run"]),
        (machines.ALPINE, ["does not use glibc"]),
        (machines.WINDOWS, ["WSL 2"]),
        (replace(machines.DEBIAN_13, python=(3, 14)), ["cpython 3.14", "python3.13"]),
    ],
    ids=lambda value: getattr(value, "os_name", None),
)
def test_what_stops_pip_is_said_with_the_way_out(machine, words):
    (text,) = pip_install.obstacles(machine)
    assert [word for word in words if word not in text] == []


def test_a_missing_compiler_stops_pip_alone(monkeypatch):
    monkeypatch.setattr(pip_install, "_can_compile", lambda: False)
    (text,) = pip_install.obstacles(machines.DEBIAN_13)
    assert "pyfarmhash" in text
    assert "`make setup` does without" in text
    monkeypatch.setattr(pip_install, "_has_farmhash", lambda: True)
    assert pip_install.obstacles(machines.DEBIAN_13) == []
