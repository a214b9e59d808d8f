"""Facts about the machine before anything is installed."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import platform
import re
import shlex
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from pipeline.environment.apt_sources import AptSource, read_apt_sources


@dataclass(frozen=True)
class Machine:
    """The facts that decide how, and whether, the environment can be made.

    Attributes:
        system: `Linux`, `Darwin` or `Windows`.
        processor: `x86_64`, `arm64`, `aarch64`, ...
        python: the version of the Python that runs this.
        implementation: `cpython`, `pypy`, ...
        pip: the wheel of pip that comes with that Python; None where the system left it out.
        glibc: its version; None where the C library is another one.
        has_avx: whether the processor has the AVX instructions (known on Linux x86-64 only, True
            elsewhere).
        free_bytes: what `.venv` may fill: the free space, and what the present `.venv` holds.
        os_name: the name for people, such as `Debian GNU/Linux 12 (bookworm)`.
        families: the distribution and those that it is like: `ubuntu`, `debian`, ...
        codename: the release that its mirrors are named by, such as `bookworm`; empty if unknown.
        has_apt: whether `apt-get`, `apt-cache` and `dpkg-deb` are there.
        apt_sources: the mirrors that apt is set to.
    """

    system: str
    processor: str
    python: tuple[int, int]
    implementation: str
    pip: Path | None
    glibc: tuple[int, int] | None
    has_avx: bool
    free_bytes: int
    os_name: str
    families: frozenset[str]
    codename: str
    has_apt: bool
    apt_sources: tuple[AptSource, ...]


def read_machine(venv: Path) -> Machine:
    """Looks at this machine; takes well under a second.

    Args:
        venv: where the environment is to be; it need not exist.

    Returns:
        The facts.
    """
    release = parse_os_release(_read("/etc/os-release"))
    return Machine(
        system=platform.system(),
        processor=platform.machine(),
        python=(sys.version_info.major, sys.version_info.minor),
        implementation=sys.implementation.name,
        pip=_bundled_pip(),
        glibc=parse_glibc(_libc_name()),
        has_avx=has_avx(_read("/proc/cpuinfo")),
        free_bytes=shutil.disk_usage(str(venv.parent)).free + _size_of(venv),
        os_name=release.get("PRETTY_NAME") or platform.platform(),
        families=frozenset([release.get("ID", ""), *release.get("ID_LIKE", "").split()]),
        codename=next(
            (
                release[key]
                for key in ("UBUNTU_CODENAME", "DEBIAN_CODENAME", "VERSION_CODENAME")
                if release.get(key)
            ),
            "",
        ),
        has_apt=all(shutil.which(program) for program in ("apt-get", "apt-cache", "dpkg-deb")),
        apt_sources=read_apt_sources(),
    )


def parse_os_release(text: str) -> dict[str, str]:
    """Reads the fields of an os-release file, as os-release(5) describes it.

    Args:
        text: the file's content; may be empty.

    Returns:
        The value of each field, without its quotes.
    """
    fields = {}
    for line in text.splitlines():
        name, separator, value = line.strip().partition("=")
        if separator and not name.startswith("#"):
            with contextlib.suppress(ValueError):  # a quote that is never closed
                fields[name] = " ".join(shlex.split(value))
    return fields


def parse_glibc(libc_name: str) -> tuple[int, int] | None:
    """Reads a value of `confstr`, such as `glibc 2.36`.

    Args:
        libc_name: the C library's name for itself; empty where it has none (musl, macOS).

    Returns:
        glibc's version, or None when it is another C library.
    """
    match = re.match(r"glibc (\d+)\.(\d+)", libc_name)
    return (int(match.group(1)), int(match.group(2))) if match else None


def has_avx(cpuinfo: str) -> bool:
    """Looks for AVX in `/proc/cpuinfo`.

    Args:
        cpuinfo: the file's content; empty or without flags where the system reports nothing.

    Returns:
        False only when the processor's flags are known and AVX is not among them.
    """
    flags = re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)
    return flags is None or "avx" in flags.group(1).split()


def _bundled_pip() -> Path | None:
    """Finds pip's wheel where CPython keeps it, or where Debian and Fedora move it to."""
    specification = importlib.util.find_spec("ensurepip")
    if specification is None or specification.origin is None:
        return None
    folders = [Path(specification.origin).parent / "_bundled"]
    moved = sysconfig.get_config_var("WHEEL_PKG_DIR")
    if moved:
        folders.append(Path(moved))
    wheels = [wheel for folder in folders for wheel in sorted(folder.glob("pip-*.whl"))]
    return wheels[-1] if wheels else None


def _libc_name() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        return ""


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _size_of(folder: Path) -> int:
    """Counts a file that has several names once: uv links its cache into the environment."""
    sizes = {}
    for directory, _, names in os.walk(str(folder)):
        for name in names:
            status = os.lstat(os.path.join(directory, name))
            sizes[status.st_ino] = status.st_size
    return sum(sizes.values())
