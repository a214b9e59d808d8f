"""What Flink needs that no Python environment has: Java, Flink's own jars, Beam's job server.

The jars are fetched once, by the registries' own clients, into the user's cache, and each must have
the checksum that this package has written down.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Final

from transform_module.errors import UserError

FLINK_VERSION: Final = "1.19"
"""The release of Flink that the job server is built for, and whose clusters it submits to."""

_OLDEST_JAVA: Final = 11


def java() -> str:
    """Returns the Java program, of JAVA_HOME or on the PATH.

    Raises:
        UserError: there is none, or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=f"{home}/bin" if home else None)
    if program is None:
        raise UserError(
            "Flink needs Java, and there is no `java` "
            + (f"in JAVA_HOME, {home}." if home else "on the PATH.")
            + " Install Java 17 (`apt-get install openjdk-17-jre-headless`)."
        )
    printed = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(?:1\.)?(\d+)', printed.stderr + printed.stdout)
    if version is None or int(version[1]) < _OLDEST_JAVA:
        raise UserError(
            f"Flink {FLINK_VERSION} needs Java {_OLDEST_JAVA} or newer, such as 17; {program} is "
            f"{version[1] if version else 'of an unknown version'}."
        )
    return program


def job_server_jars() -> Path:
    """Returns the folder of the job server's jars, fetched by Maven the first time.

    Raises:
        UserError: they cannot be had.
    """
    return _cached("job-server", _fetch_job_server)


def flink_jars() -> Path:
    """Returns the folder of Flink's own jars, fetched from PyPI the first time.

    Raises:
        UserError: they cannot be had.
    """
    return _cached("flink", _fetch_flink) / "pyflink" / "lib"


def _cached(name: str, fetch: Callable[[Path], None]) -> Path:
    """Returns a folder that is made once: beside its place, and moved there when it is whole."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    place = Path(cache) / "cxr" / f"{name}-{FLINK_VERSION}"
    if place.is_dir():
        return place
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=place.parent) as beside:
        made = Path(beside, name)
        made.mkdir()
        fetch(made)
        try:
            made.rename(place)
        except OSError:
            if not place.is_dir():  # Nor has another process made it.
                raise
    return place


def _fetch_flink(folder: Path) -> None:
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    install = [uv, "pip", "install", "--python", sys.executable] if uv else []
    install = install or [sys.executable, "-m", "pip", "install"]
    with resources.as_file(resources.files(__package__) / "libraries.txt") as listed:
        _run(
            [*install, "--no-deps", "--require-hashes", "--target", str(folder), "-r", str(listed)],
            "Flink's jars (apache-flink-libraries, 230 MB) cannot be fetched from PyPI",
        )


def _fetch_job_server(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise UserError(
            "Beam's job server for Flink is fetched by Maven, and there is no `mvn` on the PATH. "
            "Install it (`apt-get install maven`)."
        )
    with resources.as_file(resources.files(__package__) / "pom.xml") as pom:
        _run(
            [
                *(maven, "-q", "-B", "-f", str(pom)),
                *("dependency:copy-dependencies", f"-DoutputDirectory={folder}"),
            ],
            "Beam's job server for Flink (157 MB) cannot be fetched from Maven Central",
        )
    check(folder, (resources.files(__package__) / "jars.sha256").read_text())


def check(folder: Path, listed: str) -> None:
    """Compares files with their checksums.

    Args:
        folder: must hold exactly the listed files.
        listed: lines of a SHA-256 and a file name, as sha256sum prints them.

    Raises:
        UserError: a file is missing, is not listed, or has another checksum.
    """
    expected = {name: digest for digest, name in map(str.split, listed.splitlines())}
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}
    wrong = sorted(name for name in expected | found if expected.get(name) != found.get(name))
    if wrong:
        raise UserError(
            f"{len(wrong)} of the files from Maven are not those this package was tested with, "
            f"such as {wrong[0]}: {found.get(wrong[0], 'missing')}, expected "
            f"{expected.get(wrong[0], 'none')}. Remove it from Maven's own cache (~/.m2) and run "
            "again; where it stays so, the mirror gives other files."
        )


def _run(command: Sequence[str], problem: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()] or lines[-1:]
        raise UserError(f"{problem}: {' '.join(errors[:1])}")
