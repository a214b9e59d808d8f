import hashlib

import pytest

from serving.beam.flink import flink_downloads
from transform_module.errors import UserError


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """The only folder of the PATH, and a cache with nothing in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(flink_downloads.sys, "executable", str(folder / "python"))
    monkeypatch.setattr(flink_downloads.shutil, "which", which(folder))
    return folder


def which(folder):
    def find(name, path=None):
        place = folder / name
        return str(place) if place.exists() and (path is None or str(folder) in path) else None

    return find


def program(place, script):
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o700)


def test_a_machine_without_java_is_reported(programs):
    with pytest.raises(UserError, match=r"there is no `java` on the PATH\. Install Java 17"):
        flink_downloads.java()


def test_java_home_goes_before_the_path(programs, tmp_path, monkeypatch):
    program(programs / "java", "echo 'openjdk version \"17.0.1\"' >&2")
    assert flink_downloads.java() == str(programs / "java")
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    with pytest.raises(UserError, match="in JAVA_HOME, /nowhere"):
        flink_downloads.java()


@pytest.mark.parametrize(
    ("printed", "version"), [('version "1.8.0_392"', "8"), ("none", "of an unknown version")]
)
def test_an_old_java_is_refused(programs, printed, version):
    program(programs / "java", f"echo '{printed}' >&2")
    with pytest.raises(UserError, match=f"needs Java 11 or newer, such as 17; .* is {version}"):
        flink_downloads.java()


def test_a_machine_without_maven_is_reported(programs):
    with pytest.raises(UserError, match="there is no `mvn` on the PATH"):
        flink_downloads.job_server_jars()


@pytest.mark.parametrize(
    ("name", "fetch", "source"),
    [
        ("mvn", flink_downloads.job_server_jars, "Maven Central"),
        ("uv", flink_downloads.flink_jars, "PyPI"),
    ],
)
def test_what_cannot_be_fetched_is_reported_and_leaves_nothing(
    programs, tmp_path, name, fetch, source
):
    program(programs / name, "echo resolving; echo '[ERROR] no route to host' >&2; exit 1")
    with pytest.raises(UserError, match=f"cannot be fetched from {source}: .*no route to host"):
        fetch()
    assert list((tmp_path / "cache" / "cxr").iterdir()) == []


def test_it_is_fetched_once(programs, tmp_path):
    script = f'echo x >> {tmp_path}/calls; while [ "$1" != --target ]; do shift; done'
    program(programs / "uv", f'{script}; mkdir -p "$2/pyflink/lib"')
    first, again = flink_downloads.flink_jars(), flink_downloads.flink_jars()
    assert first == again
    assert first.is_dir()
    assert (tmp_path / "calls").read_text() == "x\n"


def test_files_are_compared_with_their_checksums(tmp_path):
    (tmp_path / "a.jar").write_bytes(b"a")
    listed = f"{hashlib.sha256(b'a').hexdigest()}  a.jar\n"
    flink_downloads.check(tmp_path, listed)
    (tmp_path / "b.jar").write_bytes(b"b")
    with pytest.raises(UserError, match=r"1 of the files .* such as b\.jar: .*expected none"):
        flink_downloads.check(tmp_path, listed)
    (tmp_path / "b.jar").unlink()
    (tmp_path / "a.jar").write_bytes(b"other")
    with pytest.raises(UserError, match=r"1 of the files .* such as a\.jar"):
        flink_downloads.check(tmp_path, listed)
    (tmp_path / "a.jar").unlink()
    with pytest.raises(UserError, match=r"such as a\.jar: missing"):
        flink_downloads.check(tmp_path, listed)
