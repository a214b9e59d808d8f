"""Machines that people have, as `read_machine` would describe them."""

from dataclasses import replace
from pathlib import Path

from pipeline.environment.apt_sources import AptSource
from pipeline.environment.machine import Machine


def mirror(suite, uri="http://mirror/archive"):
    return AptSource(uri, suite, ("main", "contrib"))


DEBIAN_12 = Machine(
    system="Linux",
    processor="x86_64",
    python=(3, 11),
    implementation="cpython",
    pip=Path("/usr/share/python-wheels/pip-23.0.1-py3-none-any.whl"),
    glibc=(2, 36),
    has_avx=True,
    free_bytes=50 * 10**9,
    os_name="Debian GNU/Linux 12 (bookworm)",
    families=frozenset({"debian"}),
    codename="bookworm",
    has_apt=True,
    apt_sources=(mirror("bookworm"), mirror("bookworm-updates")),
)
DEBIAN_13 = replace(
    DEBIAN_12,
    python=(3, 13),
    glibc=(2, 41),
    os_name="Debian GNU/Linux 13 (trixie)",
    codename="trixie",
    apt_sources=(mirror("trixie"),),
)
UBUNTU_22_04 = replace(
    DEBIAN_12,
    glibc=(2, 35),
    os_name="Ubuntu 22.04.5 LTS",
    families=frozenset({"ubuntu", "debian"}),
    codename="jammy",
    apt_sources=(mirror("jammy"), mirror("jammy-updates")),
)
UBUNTU_24_04 = replace(
    UBUNTU_22_04,
    python=(3, 12),
    glibc=(2, 39),
    os_name="Ubuntu 24.04.1 LTS",
    codename="noble",
    apt_sources=(mirror("noble"),),
)
MINT_21 = replace(
    UBUNTU_22_04,
    os_name="Linux Mint 21.3",
    families=frozenset({"linuxmint", "ubuntu", "debian"}),
    apt_sources=(AptSource("http://mint", "virginia", ("main",)), mirror("jammy")),
)
ROCKY_9 = replace(
    DEBIAN_12,
    glibc=(2, 34),
    os_name="Rocky Linux 9.4",
    families=frozenset({"rocky", "rhel", "centos", "fedora"}),
    codename="",
    has_apt=False,
    apt_sources=(),
)
FEDORA_41 = replace(ROCKY_9, python=(3, 13), glibc=(2, 40), os_name="Fedora Linux 41")
ALPINE = replace(ROCKY_9, glibc=None, os_name="Alpine Linux v3.20", families=frozenset({"alpine"}))
ARM_LINUX = replace(DEBIAN_12, processor="aarch64")
APPLE_SILICON = replace(
    ALPINE, system="Darwin", processor="arm64", os_name="macOS-15.1-arm64", families=frozenset()
)
INTEL_MAC = replace(APPLE_SILICON, processor="x86_64", os_name="macOS-13.6-x86_64")
WINDOWS = replace(APPLE_SILICON, system="Windows", processor="AMD64", os_name="Windows-11")
