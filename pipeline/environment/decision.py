"""Decides from the facts how the environment is made, or what prevents it.

Where the wheels exist: those of ml-metadata 1.21 and tensorflow-data-validation 1.21 are for
CPython 3.10 to 3.13, on Linux x86-64 with glibc 2.39 or on macOS on arm64; TensorFlow's for x86-64
need AVX.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.environment.apt_sources import AptSource
from pipeline.environment.machine import Machine
from pipeline.environment.releases import BY_FAMILY, Package, Release

PYTHONS = ((3, 11), (3, 12), (3, 13))
GLIBC = (2, 39)
# Measured: 3.0 GB installed; while it installs, the archives being unpacked come on top.
DISK_BYTES = 5 * 10**9
CONTAINER = 'docker run --rm -it -v "$PWD:/src" -w /src python:3.13-trixie make demo'
AMD64_CONTAINER = CONTAINER.replace("--rm", "--rm --platform linux/amd64")


@dataclass(frozen=True)
class AptPackages:
    """Packages to unpack privately, and the mirror, of those that the machine uses, to take."""

    release: Release
    mirror: AptSource


@dataclass(frozen=True)
class Plan:
    """How to make the environment.

    Attributes:
        glibc: the private glibc to install under; None where the machine's own C library will do.
        pip: where pip comes from, which fetches the installer; None where Python brings it.
        python: why this Python will not do, with the way out; uv's own Python is tried instead.
            Empty where it will do.
        obstacles: what is missing, each in words with the way out; empty when nothing does.
    """

    glibc: AptPackages | None
    pip: AptPackages | None
    python: str
    obstacles: tuple[str, ...]


def decide(machine: Machine) -> Plan:
    """Decides how the environment is made on a machine.

    Args:
        machine: its facts.

    Returns:
        The plan; its obstacles are all that were found, not only the first.
    """
    pip = None if machine.pip else _pip(machine)
    glibc = _glibc(machine)
    obstacles = (pip, _platform(machine), _avx(machine), _disk(machine), glibc)
    return Plan(
        glibc=glibc if isinstance(glibc, AptPackages) else None,
        pip=pip if isinstance(pip, AptPackages) else None,
        python=_python(machine),
        obstacles=tuple(each for each in obstacles if isinstance(each, str) and each),
    )


def _python(machine: Machine) -> str:
    if machine.python in PYTHONS and machine.implementation == "cpython":
        return ""
    found = ".".join(map(str, machine.python))
    return (
        f"Python: this is {machine.implementation} {found}; the locked packages are for "
        "CPython 3.11, 3.12 or 3.13.\n"
        "  Get one: `apt install python3` (Debian 12 and later, Ubuntu 24.04), `brew install "
        "python@3.13` (macOS),\n"
        "  `pyenv install 3.13` or `uv python install 3.13` (anywhere).\n"
        "  Then name it: `make demo PYTHON=/path/to/python3.13`. Without installing it: "
        f"{_container(machine)}"
    )


def _pip(machine: Machine) -> AptPackages | str:
    """Finds the package of pip for a Python without one, or says what to do."""
    mirror = _mirror(machine) if machine.has_apt else None
    if mirror:
        release = Release(machine.os_name, (machine.codename,), (Package("python3-pip-whl"),))
        return AptPackages(release, mirror)
    return (
        "Python: this Python lacks pip (its module ensurepip is missing), and apt cannot fetch "
        "it.\n"
        "  On Debian and Ubuntu: `apt install python3-venv`. Elsewhere take another Python: "
        "`make demo PYTHON=/path/to/python3.13`"
    )


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
            "demo PYTHON=/opt/homebrew/bin/python3.13`.\n"
            f"  On an Intel Mac work in the container: {CONTAINER}"
        )
    return (
        f"Processor: ml-metadata and tensorflow-data-validation have no wheels for {place}, on "
        "Linux only for x86_64.\n"
        "  Work on an x86-64 machine, or in the emulated container, slowly and only where the "
        f"emulation offers AVX: {AMD64_CONTAINER}"
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


def _glibc(machine: Machine) -> AptPackages | str | None:
    """Finds the private glibc for a Linux on x86-64, None if needless, or says what is missing."""
    if (machine.system, machine.processor) != ("Linux", "x86_64"):
        return None
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
    mirror = _mirror(machine)
    if mirror is None:
        return (
            f"{headline}; apt is set to no mirror of `{machine.codename} main` to fetch a private "
            "one from.\n"
            "  Name one in /etc/apt/sources.list (`apt-get update` shows whether it works), or "
            f"work in the container: {CONTAINER}"
        )
    return AptPackages(BY_FAMILY[family], mirror)


def _mirror(machine: Machine) -> AptSource | None:
    return next(
        (
            source
            for source in machine.apt_sources
            if source.suite == machine.codename
            and "main" in source.components
            and not source.uri.startswith("cdrom:")
        ),
        None,
    )


def _container(machine: Machine) -> str:
    return AMD64_CONTAINER if machine.processor == "aarch64" else CONTAINER
