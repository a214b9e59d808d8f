import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.environment.decision import GLIBC
from pipeline.environment.machine import has_avx, parse_glibc, parse_os_release, read_machine

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at glibc")


def test_reads_the_fields_of_os_release():
    text = (
        "# a comment\n"
        'PRETTY_NAME="Ubuntu 22.04.5 LTS"\n'
        "ID=ubuntu\n"
        "ID_LIKE='debian'\n"
        "\n"
        'NAME="A \\"quoted\\" name"\n'
        "no field\n"
        "EMPTY=\n"
    )
    assert parse_os_release(text) == {
        "PRETTY_NAME": "Ubuntu 22.04.5 LTS",
        "ID": "ubuntu",
        "ID_LIKE": "debian",
        "NAME": 'A "quoted" name',
        "EMPTY": "",
    }


def test_a_field_whose_quote_never_closes_is_passed_over():
    assert parse_os_release("NAME=\"Tom's\nOTHER=Tom's\nID=debian") == {"ID": "debian"}


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("glibc 2.36", (2, 36)),
        ("glibc 2.39.1", (2, 39)),
        ("glibc 3.0", (3, 0)),
        ("musl", None),
        ("", None),
    ],
)
def test_reads_glibcs_version(name, version):
    assert parse_glibc(name) == version


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        ("processor\t: 0\nflags\t\t: fpu sse2 avx avx2\n", True),
        ("processor\t: 0\nflags\t\t: fpu sse2\n", False),
        ("flags\t: fpu avx2 avx512f\n", False),
        ("Features\t: fp asimd\n", True),
        ("", True),
    ],
)
def test_only_reported_flags_without_avx_are_without_avx(cpuinfo, expected):
    assert has_avx(cpuinfo) == expected


def test_describes_the_machine_that_the_tests_run_on(tmp_path):
    machine = read_machine(tmp_path / ".venv")
    assert machine.python == sys.version_info[:2]
    assert machine.system in ("Linux", "Darwin")
    assert machine.free_bytes > 0
    assert machine.os_name


def test_what_the_present_environment_fills_counts_as_free(tmp_path):
    before = read_machine(tmp_path / ".venv").free_bytes
    venv = tmp_path / ".venv"
    venv.mkdir()
    with (venv / "sparse").open("wb") as file:
        file.truncate(10**12)
    os.link(venv / "sparse", venv / "the same file once more")
    assert read_machine(venv).free_bytes - before == pytest.approx(10**12, rel=0.1)


@linux
def test_this_interpreter_has_the_glibc_that_the_wheels_need():
    assert version_of(os.confstr("CS_GNU_LIBC_VERSION")) >= GLIBC


def version_of(libc_name):
    return parse_glibc(libc_name) or (0, 0)


def system_glibc():
    said = subprocess.run(["getconf", "GNU_LIBC_VERSION"], capture_output=True, text=True)
    return version_of(said.stdout)


@linux
def test_other_programs_run_under_the_systems_own_glibc():
    maps = subprocess.run(["cat", "/proc/self/maps"], capture_output=True, text=True, check=True)
    assert "/libc.so.6" in maps.stdout
    assert str(Path(sys.prefix) / "glibc") not in maps.stdout


@linux
def test_the_environment_has_a_private_glibc_only_where_the_systems_is_too_old():
    has_private_one = (Path(sys.prefix) / "glibc").exists()
    assert has_private_one == (system_glibc() < GLIBC)


@linux
def test_this_interpreter_uses_the_private_glibc_where_there_is_one():
    folder = Path(sys.prefix).resolve() / "glibc"
    if not folder.exists():
        pytest.skip("the system's glibc is new enough")
    libraries = [
        line.split()[-1]
        for line in Path("/proc/self/maps").read_text().splitlines()
        if "/libc.so.6" in line or "/libstdc++.so.6" in line
    ]
    assert libraries
    assert all(path.startswith(str(folder)) for path in libraries)
