"""Decides from the facts how the environment is made, or what stands in its way.

Where the wheels exist: those of ml-metadata 1.21 and tensorflow-data-validation 1.21 ask for Linux
x86-64 with glibc 2.39, or macOS on arm64; TensorFlow's for x86-64 ask for AVX.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.environment.apt_sources import AptSource
from pipeline.environment.machine import Machine
from pipeline.environment.releases import BY_FAMILY, Release

PYTHON = (3, 11)
GLIBC = (2, 39)
# Measured: 3.3 GB installed; while it installs, the archives being unpacked come on top.
DISK_BYTES = 5 * 10**9
CONTAINER = 'docker run --rm -it -v "$PWD:/src" -w /src python:3.11-trixie make demo'
AMD64_CONTAINER = CONTAINER.replace("--rm", "--rm --platform linux/amd64")


@dataclass(frozen=True)
class Runtime:
    """Where a private glibc comes from: a newer release, on the mirror that the machine uses."""

    release: Release
    mirror: AptSource


@dataclass(frozen=True)
class Plan:
    """How to make the environment.

    Attributes:
        runtime: The private glibc to install under; None where the machine's own C library will
            do.
        obstacles: What stands in the way, each in words with the way out; empty when nothing does.
    """

    runtime: Runtime | None
    obstacles: tuple[str, ...]


def decide(machine: Machine) -> Plan:
    """Decides how the environment is made on a machine.

    Args:
        machine: Its facts.

    Returns:
        The plan; its obstacles are all that were found, not only the first.
    """
    obstacles = [
        _python(machine),
        _platform(machine),
        _compiler(machine),
        _avx(machine),
        _disk(machine),
    ]
    runtime = None
    if machine.system == "Linux" and machine.processor == "x86_64":
        found = _runtime(machine)
        if isinstance(found, str):
            obstacles.append(found)
        else:
            runtime = found
    return Plan(runtime, tuple(filter(None, obstacles)))


def _python(machine: Machine) -> str:
    found = ".".join(map(str, machine.python))
    if machine.python != PYTHON or machine.implementation != "cpython":
        return (
            f"Python: this is {machine.implementation} {found}; the locked packages are for "
            "CPython 3.11.\n"
            "  Get it: `apt install python3.11 python3.11-venv` (Debian 12; on Ubuntu from the "
            "deadsnakes archive),\n"
            "  `brew install python@3.11` (macOS), `pyenv install 3.11` or `uv python install "
            "3.11` (anywhere).\n"
            "  Then name it: `make demo PYTHON=/path/to/python3.11`. Without installing it: "
            f"{_container(machine)}"
        )
    if not machine.has_venv:
        return (
            "Python: this Python 3.11 cannot make virtual environments (its venv or ensurepip "
            "module is missing).\n"
            "  On Debian and Ubuntu: `apt install python3.11-venv`. Elsewhere take another one: "
            "`make demo PYTHON=/path/to/python3.11`"
        )
    return ""


def _platform(machine: Machine) -> str:
    place = f"{machine.system} {machine.processor}"
    if (machine.system, machine.processor) in (("Linux", "x86_64"), ("Darwin", "arm64")):
        return ""
    if machine.system == "Windows":
        return (
            "System: there are no wheels of TFX for Windows.\n"
            "  Work inside WSL 2 with Ubuntu 24.04 (`wsl --install -d Ubuntu-24.04`), or in the "
            f"container: {CONTAINER}"
        )
    if machine.system == "Darwin":
        return (
            f"Processor: ml-metadata has no wheels for {place}, on macOS only for arm64.\n"
            "  On Apple silicon this is an Intel Python under Rosetta: take an arm64 one, `make "
            "demo PYTHON=/opt/homebrew/bin/python3.11`.\n"
            f"  On an Intel Mac work in the container: {CONTAINER}"
        )
    return (
        f"Processor: ml-metadata and tensorflow-data-validation have no wheels for {place}, on "
        "Linux only for x86_64.\n"
        "  Work on an x86-64 machine, or in the emulated container, slowly and only where the "
        f"emulation offers AVX: {AMD64_CONTAINER}"
    )


def _compiler(machine: Machine) -> str:
    if machine.can_compile or machine.system == "Windows":
        return ""
    return (
        "Compiler: pyfarmhash, which tensorflow-model-analysis needs, has no wheels and is "
        "compiled; a C compiler or Python's headers are missing.\n"
        "  On Debian and Ubuntu: `apt install g++ python3.11-dev`. On macOS: "
        "`xcode-select --install`.\n"
        f"  Without installing them: {_container(machine)}"
    )


def _avx(machine: Machine) -> str:
    if machine.has_avx:
        return ""
    return (
        "Processor: it has no AVX instructions, and TensorFlow's wheels stop at once without "
        "them.\n"
        "  In a virtual machine choose the host's own processor type (`-cpu host` in QEMU); else "
        "take a machine with AVX, any x86-64 processor since 2011. A container does not help."
    )


def _disk(machine: Machine) -> str:
    if machine.free_bytes >= DISK_BYTES:
        return ""
    return (
        f"Disk: {machine.free_bytes / 1e9:.1f} GB are free here, {DISK_BYTES / 1e9:.0f} GB are "
        "needed.\n"
        "  Free some, or move the checkout to a larger disk."
    )


def _runtime(machine: Machine) -> Runtime | str | None:
    """Finds the private glibc for a Linux on x86-64, None if needless, or tells what is amiss."""
    if machine.glibc is None:
        return (
            f"C library: {machine.os_name} does not use glibc, and the wheels need glibc 2.39.\n"
            f"  Work in the container: {CONTAINER}"
        )
    if machine.glibc >= GLIBC:
        return None
    version = ".".join(map(str, machine.glibc))
    headline = f"C library: {machine.os_name} has glibc {version}, and the wheels need 2.39"
    way_out = f"  Work in the container: {CONTAINER}"
    family = next((name for name in BY_FAMILY if name in machine.families), None)
    if family is None or not machine.has_apt:
        return f"{headline}; a private one can be fetched on Debian and Ubuntu only.\n{way_out}"
    mirror = next(
        (
            source
            for source in machine.apt_sources
            if source.suite == machine.codename
            and "main" in source.components
            and not source.uri.startswith("cdrom:")
        ),
        None,
    )
    if mirror is None:
        return (
            f"{headline}; apt is set to no mirror of `{machine.codename} main` to fetch a private "
            "one from.\n"
            "  Name one in /etc/apt/sources.list (`apt-get update` tells whether it works), or "
            f"work in the container: {CONTAINER}"
        )
    return Runtime(BY_FAMILY[family], mirror)


def _container(machine: Machine) -> str:
    return AMD64_CONTAINER if machine.processor == "aarch64" else CONTAINER
