"""Packages of a Debian or Ubuntu release, fetched and unpacked into a folder of our own.

They come from the mirror that the machine's apt uses, under private folders: apt's state, the
system's libraries and all other programs stay as they are.
"""

# ruff: noqa: T201 (a program, which prints for people)
from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from pipeline.environment.apt_sources import AptSource
from pipeline.environment.commands import run
from pipeline.environment.problem import SetUpError
from pipeline.environment.releases import Package, Release


def unpack(release: Release, mirror: AptSource, folder: Path) -> None:
    """Fetches, verifies and unpacks the packages of a release.

    Args:
        release: its suites and packages.
        mirror: where they come from.
        folder: where they are unpacked; made.

    Raises:
        SetUpError: the mirror cannot be reached, or a file is not the one that is pinned.
    """
    download = folder / "download"
    lists, cache, sources = (download / name for name in ("lists", "cache", "sources"))
    for path in (lists / "partial", cache / "archives" / "partial", sources):
        path.mkdir(parents=True)
    (sources / "release.sources").write_text(stanza(mirror, release.suites), encoding="utf-8")
    options = [
        f"-oDir::State::Lists={lists}",
        f"-oDir::Cache={cache}",
        "-oDir::Etc::SourceList=/dev/null",
        f"-oDir::Etc::SourceParts={sources}",
        "-oAPT::Architecture=amd64",
        "-oAPT::Architectures=amd64",
        "-oAcquire::Languages=none",
        "-oAcquire::Retries=3",
        # Root's apt hands downloads to a user that may not enter this folder.
        "-oAPT::Sandbox::User=",
        "--error-on=any",
    ]
    label = release.label
    run(["apt-get", *options, "update"], f"Reading the package lists of {label}")
    for package in release.packages:
        _fetch(package, options[:-1], download, label)
    for file in sorted(download.glob("*.deb")):
        run(["dpkg-deb", "-x", file, folder], f"Unpacking {file.name}")
    shutil.rmtree(str(download))


def stanza(mirror: AptSource, suites: tuple[str, ...]) -> str:
    """Writes a source in apt's deb822 format.

    Args:
        mirror: whose address and keyring are used.
        suites: what to take from it.

    Returns:
        The content of a `.sources` file.
    """
    lines = [
        "Types: deb",
        f"URIs: {mirror.uri}",
        f"Suites: {' '.join(suites)}",
        "Components: main",
        *([f"Signed-By: {mirror.signed_by}"] if mirror.signed_by else []),
    ]
    return "\n".join(lines) + "\n"


def _fetch(package: Package, options: list[str], folder: Path, label: str) -> None:
    """Downloads one package in its pinned version, or the mirror's own once that is gone.

    A point release takes the former version from the mirrors. What is there instead is then
    verified by the distribution's signature, as apt does for every package of the system.
    """
    known = run(["apt-cache", *options, "madison", package.name], f"Looking for {package.name}")
    versions = [line.split("|")[1].strip() for line in known.splitlines() if line.count("|") > 1]
    if not versions:
        raise SetUpError(f"The mirror has no {package.name} of {label}.")
    version = package.version if package.version in versions else versions[0]
    if package.version and version != package.version:
        print(f"  {package.name} {package.version} is gone from the mirror, taking {version}")
    name = f"{package.name}={version}"
    run(["apt-get", *options, "download", name], f"Downloading {name}", folder=folder)
    (file,) = folder.glob(f"{package.name}_*.deb")
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if version == package.version and found != package.sha256:
        raise SetUpError(
            f"{file.name} is not what it should be: its SHA-256 is {found}, pinned is "
            f"{package.sha256}.\n  Nothing of it was used. Try another mirror in apt's sources."
        )
