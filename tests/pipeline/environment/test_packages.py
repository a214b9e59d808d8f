import hashlib
import os
from dataclasses import replace

import pytest

from pipeline.environment import packages
from pipeline.environment.apt_sources import AptSource, parse_deb822
from pipeline.environment.problem import SetUpError
from pipeline.environment.releases import Package, Release

KEY = """\
-----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEYCQjIxYJKwYBBAHaRw8BAQdAD/P5Nvvnvk66SxBBHDbhRml9ORg1WV5CvzKY
 =Kx7z
 -----END PGP PUBLIC KEY BLOCK-----"""
MIRROR = AptSource("http://mirror/debian", "bookworm", ("main",))

# The package's file holds "NAME VERSION"; what apt was called with is in `calls`.
APT_GET = """\
echo "apt-get $*" >> "$FAKE/calls"
for word; do case $word in
  update) [ ! -e "$FAKE/unreachable" ] || { echo "E: Failed to fetch" >&2; exit 100; } ;;
  -oDir::Etc::SourceParts=*) cp "${word#*=}"/*.sources "$FAKE/used.sources" ;;
  *=*) ;;
esac; done
case " $* " in *" download "*)
  printf %s "${word%%=*} ${word#*=}" > "${word%%=*}_${word#*=}_amd64.deb" ;;
esac
"""
APT_CACHE = """\
for name; do :; done
cat "$FAKE/madison" | while read version; do echo " $name | $version | http://mirror main"; done
"""
DPKG_DEB = """\
echo "dpkg-deb $*" >> "$FAKE/calls"
"""


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """A folder of apt programs that obey the files beside them."""
    folder = tmp_path / "fake"
    folder.mkdir()
    for name, script in (("apt-get", APT_GET), ("apt-cache", APT_CACHE), ("dpkg-deb", DPKG_DEB)):
        (folder / name).write_text(f"#!/bin/sh\n{script}")
        (folder / name).chmod(0o755)
    (folder / "madison").write_text("2.41-1\n")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE", str(folder))
    return folder


def pinned(content="libc6 2.41-1"):
    package = Package("libc6", "2.41-1", hashlib.sha256(content.encode()).hexdigest())
    return Release("Debian 13 (trixie)", ("trixie",), (package,))


def calls(fake, word):
    return [line for line in (fake / "calls").read_text().splitlines() if word in line]


def assert_nothing_unpacked(fake):
    assert calls(fake, "dpkg-deb") == []


def test_the_pinned_version_with_the_pinned_sum_is_unpacked(fake, tmp_path):
    packages.unpack(pinned(), MIRROR, tmp_path / "glibc")
    assert len(calls(fake, "download libc6=2.41-1")) == 1
    (unpacked,) = calls(fake, "dpkg-deb -x")
    assert unpacked.endswith(f"libc6_2.41-1_amd64.deb {tmp_path / 'glibc'}")


def test_a_file_with_another_sum_is_refused_and_nothing_of_it_is_used(fake, tmp_path):
    with pytest.raises(SetUpError, match=r"libc6_2.41-1_amd64.deb is not what it should be") as got:
        packages.unpack(pinned("something else"), MIRROR, tmp_path / "glibc")
    assert hashlib.sha256(b"libc6 2.41-1").hexdigest() in str(got.value)
    assert_nothing_unpacked(fake)


def test_nothing_is_unpacked_when_the_last_of_several_files_is_wrong(fake, tmp_path):
    good = pinned()
    bad = replace(good.packages[0], name="libstdc++6")
    release = replace(good, packages=(*good.packages, bad))
    with pytest.raises(SetUpError, match=r"^libstdc\+\+6_2.41-1_amd64.deb is not"):
        packages.unpack(release, MIRROR, tmp_path / "glibc")
    assert_nothing_unpacked(fake)


def test_the_signed_version_is_taken_once_the_pinned_one_is_gone(fake, tmp_path, capsys):
    (fake / "madison").write_text("2.41-3\n2.41-2\n")
    packages.unpack(pinned(), MIRROR, tmp_path / "glibc")
    assert len(calls(fake, "download libc6=2.41-3")) == 1
    assert len(calls(fake, "dpkg-deb -x")) == 1
    assert "libc6 2.41-1 is gone from the mirror, taking 2.41-3" in capsys.readouterr().out


def test_the_pinned_version_is_taken_although_a_newer_one_is_there(fake, tmp_path):
    (fake / "madison").write_text("2.41-3\n2.41-1\n")
    packages.unpack(pinned(), MIRROR, tmp_path / "glibc")
    assert len(calls(fake, "download libc6=2.41-1")) == 1


def test_a_package_without_a_pin_is_taken_as_the_mirror_signs_it(fake, tmp_path, capsys):
    (fake / "madison").write_text("25.1-3\n25.1-2\n")
    release = replace(pinned(), packages=(Package("python3-pip-whl"),))
    packages.unpack(release, MIRROR, tmp_path / "pip")
    assert len(calls(fake, "download python3-pip-whl=25.1-3")) == 1
    assert len(calls(fake, "dpkg-deb -x")) == 1
    assert capsys.readouterr().out == ""


def test_a_mirror_without_the_package_is_reported(fake, tmp_path):
    (fake / "madison").write_text("")
    with pytest.raises(SetUpError, match=r"^The mirror has no libc6 of Debian 13 \(trixie\)\.$"):
        packages.unpack(pinned(), MIRROR, tmp_path / "glibc")


def test_an_unreachable_mirror_is_reported_with_apts_words(fake, tmp_path):
    (fake / "unreachable").touch()
    with pytest.raises(SetUpError, match=r"(?s)package lists of Debian 13.*Failed to fetch"):
        packages.unpack(pinned(), MIRROR, tmp_path / "glibc")


def test_apt_works_under_our_folders_alone_and_they_are_removed(fake, tmp_path):
    packages.unpack(pinned(), MIRROR, tmp_path / "glibc")
    for call in calls(fake, "apt-get"):
        for option in ("State::Lists", "Cache", "Etc::SourceParts"):
            assert f"-oDir::{option}={tmp_path / 'glibc' / 'download'}/" in call
        assert "-oDir::Etc::SourceList=/dev/null" in call
    assert list((tmp_path / "glibc").iterdir()) == []


def test_apt_reads_the_newer_release_from_the_machines_mirror(fake, tmp_path):
    packages.unpack(pinned(), MIRROR, tmp_path / "glibc")
    (source,) = parse_deb822((fake / "used.sources").read_text())
    assert source == AptSource("http://mirror/debian", "trixie", ("main",))


@pytest.mark.parametrize("signed_by", ["", "/usr/share/keyrings/x.gpg", KEY])
def test_a_stanza_reads_back_with_its_key(signed_by):
    text = packages.stanza(replace(MIRROR, signed_by=signed_by), ("noble", "noble-updates"))
    assert parse_deb822(text) == [
        AptSource("http://mirror/debian", suite, ("main",), signed_by)
        for suite in ("noble", "noble-updates")
    ]


@pytest.mark.parametrize("first", [" ", "\n "])
def test_a_key_that_is_in_apts_own_file_is_handed_on_whole(first):
    text = f"Types: deb\nURIs: http://m\nSuites: s\nSigned-By:{first}{KEY}\nComponents: main\n"
    (source,) = parse_deb822(text)
    assert source.signed_by == KEY
    assert parse_deb822(packages.stanza(source, ("s",))) == [source]
