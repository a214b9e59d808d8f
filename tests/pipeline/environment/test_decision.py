from dataclasses import replace

import pytest

from pipeline.environment.apt_sources import AptSource
from pipeline.environment.decision import CONTAINER, AptPackages, decide
from pipeline.environment.releases import DEBIAN_13, UBUNTU_24_04
from tests.pipeline.environment import machines
from tests.pipeline.environment.machines import mirror


@pytest.mark.parametrize(
    ("machine", "release", "suite"),
    [
        (machines.DEBIAN_12, DEBIAN_13, "bookworm"),
        (machines.UBUNTU_22_04, UBUNTU_24_04, "jammy"),
        (machines.MINT_21, UBUNTU_24_04, "jammy"),
    ],
    ids=lambda value: getattr(value, "os_name", None),
)
def test_an_old_glibc_is_helped_from_the_mirror_that_the_machine_uses(machine, release, suite):
    plan = decide(machine)
    assert plan.obstacles == ()
    assert plan.glibc == AptPackages(release, mirror(suite))


@pytest.mark.parametrize(
    "machine",
    [machines.DEBIAN_13, machines.UBUNTU_24_04, machines.FEDORA_41, machines.APPLE_SILICON],
    ids=lambda machine: machine.os_name,
)
def test_nothing_private_is_made_where_the_wheels_run_as_they_are(machine):
    plan = decide(machine)
    assert plan.obstacles == ()
    assert plan.glibc is None


@pytest.mark.parametrize("system", ["Darwin", "Windows"])
def test_nothing_of_linux_is_planned_elsewhere_even_with_apt_and_an_old_glibc(system):
    assert decide(replace(machines.DEBIAN_12, system=system)).glibc is None


@pytest.mark.parametrize(
    ("glibc", "is_private"), [((2, 38), True), ((2, 39), False), ((2, 40), False), ((3, 0), False)]
)
def test_the_private_glibc_ends_with_2_39(glibc, is_private):
    assert (decide(replace(machines.DEBIAN_12, glibc=glibc)).glibc is not None) == is_private


@pytest.mark.parametrize("python", [(3, 11), (3, 12), (3, 13)])
@pytest.mark.parametrize("machine", [machines.DEBIAN_12, machines.DEBIAN_13, machines.UBUNTU_24_04])
def test_each_python_that_the_wheels_are_for_will_do(machine, python):
    plan = decide(replace(machine, python=python))
    assert (plan.python, plan.obstacles) == ("", ())


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"python": (3, 10)}, "cpython 3.10"),
        ({"python": (3, 14)}, "cpython 3.14"),
        ({"implementation": "pypy"}, "pypy 3.11"),
    ],
)
def test_another_python_is_not_an_obstacle_until_uvs_own_cannot_be_fetched(changes, found):
    plan = decide(replace(machines.DEBIAN_12, **changes))
    assert plan.obstacles == ()
    headline, *advice = plan.python.splitlines()
    assert headline == (
        f"Python: this is {found}; the locked packages are for CPython 3.11, 3.12 or 3.13."
    )
    assert "PYTHON=/path/to/python3.13" in advice[-1]
    assert CONTAINER in advice[-1]


@pytest.mark.parametrize("machine", [machines.DEBIAN_13, machines.UBUNTU_24_04])
def test_pip_comes_from_the_mirror_where_python_lacks_it(machine):
    plan = decide(replace(machine, pip=None))
    assert plan.obstacles == ()
    assert plan.pip is not None
    assert plan.pip.mirror == machine.apt_sources[0]
    assert plan.pip.release.suites == (machine.codename,)
    assert [package.name for package in plan.pip.release.packages] == ["python3-pip-whl"]


def changed(**changes):
    return replace(machines.DEBIAN_12, **changes)


OBSTACLES = {
    "no pip and no apt": (
        replace(machines.FEDORA_41, pip=None),
        ["lacks pip", "apt install python3-venv", "PYTHON=/path/to"],
    ),
    "Windows": (machines.WINDOWS, ["no wheels of TFX for Windows", "WSL 2", CONTAINER]),
    "Intel mac": (machines.INTEL_MAC, ["ml-metadata", "Darwin x86_64", "Rosetta", CONTAINER]),
    "Linux on arm64": (machines.ARM_LINUX, ["Linux aarch64", "--platform linux/amd64"]),
    "no AVX": (changed(has_avx=False), ["AVX", "-cpu host", "A container does not help"]),
    "small disk": (changed(free_bytes=1_200_000_000), ["Disk: 1.2 GB are free", "5 GB are needed"]),
    "musl": (machines.ALPINE, ["Alpine Linux v3.20 does not use glibc", CONTAINER]),
    "old glibc without apt": (machines.ROCKY_9, ["Rocky Linux 9.4 has glibc 2.34", CONTAINER]),
    "an unknown distribution": (
        changed(families=frozenset({"nixos"})),
        ["on Debian and Ubuntu only", CONTAINER],
    ),
    "apt without a mirror": (
        changed(apt_sources=()),
        ["no mirror of `bookworm main`", "/etc/apt/sources.list", CONTAINER],
    ),
    "a mirror of another release": (
        changed(apt_sources=(mirror("bullseye"), mirror("bookworm-updates"))),
        ["no mirror of `bookworm main`"],
    ),
    "a mirror without main": (
        changed(apt_sources=(AptSource("http://mirror", "bookworm", ("contrib",)),)),
        ["no mirror of `bookworm main`"],
    ),
    "only the installation medium": (
        changed(apt_sources=(mirror("bookworm", uri="cdrom:[Debian]/"),)),
        ["no mirror of `bookworm main`"],
    ),
}


@pytest.mark.parametrize("case", OBSTACLES)
def test_an_obstacle_names_the_thing_and_the_way_out(case):
    machine, words = OBSTACLES[case]
    plan = decide(machine)
    assert len(plan.obstacles) == 1
    assert [word for word in words if word not in plan.obstacles[0]] == []


HEADLINES = ("Python", "System", "Processor", "C library", "Disk")


@pytest.mark.parametrize("case", OBSTACLES)
def test_an_obstacle_is_readable_in_a_terminal(case):
    (obstacle,) = decide(OBSTACLES[case][0]).obstacles
    headline, *advice = obstacle.splitlines()
    assert headline.partition(":")[0] in HEADLINES
    assert advice
    assert all(line.startswith("  ") for line in advice)


def test_all_obstacles_are_reported_at_once():
    machine = replace(machines.ALPINE, pip=None, has_avx=False, free_bytes=10**6)
    headlines = [obstacle.partition(":")[0] for obstacle in decide(machine).obstacles]
    assert headlines == ["Python", "Processor", "Disk", "C library"]


def test_a_container_that_is_named_on_arm64_is_the_emulated_one():
    plan = decide(replace(machines.ARM_LINUX, python=(3, 10)))
    assert all("--platform linux/amd64" in text for text in (plan.python, *plan.obstacles))
