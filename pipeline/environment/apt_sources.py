"""The mirrors that a machine's own apt configuration names, in both of its formats.

The formats are those of the manual page sources.list(5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class AptSource:
    """One suite on one mirror.

    Attributes:
        uri: the mirror's address, as apt writes it.
        suite: the release or pocket, such as `bookworm` or `jammy-updates`.
        components: the parts of the archive, such as `main`.
        signed_by: the keyring that signs it (a path, a fingerprint or a whole key); empty for
            apt's default keyrings.
    """

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""


def parse_one_line(text: str) -> list[AptSource]:
    """Reads the one-line format: `deb [signed-by=KEY] URI SUITE COMPONENT...`.

    Args:
        text: the content of a `.list` file.

    Returns:
        Its binary sources; lines that are not such sources are passed over, as apt's own tools
        report those.
    """
    sources = []
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line)
        if match:
            options, uri, suite, components = match.groups(default="")
            signed_by = re.search(r"signed-by=(\S+)", options, re.IGNORECASE)
            keyring = signed_by.group(1) if signed_by else ""
            sources.append(AptSource(uri, suite, tuple(components.split()), keyring))
    return sources


def parse_deb822(text: str) -> list[AptSource]:
    """Reads the deb822 format: stanzas of `Types:`, `URIs:`, `Suites:`, `Components:`.

    Args:
        text: the content of a `.sources` file.

    Returns:
        Its enabled binary sources, one for each mirror and suite.
    """
    uncommented = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    sources = []
    for stanza in re.split(r"\n\s*\n", uncommented):
        fields = {
            name.lower(): value.strip()
            for name, value in re.findall(r"^([\w-]+):((?:.*)(?:\n[ \t].*)*)", stanza, re.MULTILINE)
        }
        if "deb" not in fields.get("types", "").split():
            continue
        if fields.get("enabled", "yes").lower() in ("no", "false", "0"):
            continue
        sources += [
            AptSource(
                uri, suite, tuple(fields.get("components", "").split()), fields.get("signed-by", "")
            )
            for uri in fields.get("uris", "").split()
            for suite in fields.get("suites", "").split()
        ]
    return sources


def read_apt_sources(folder: Path = Path("/etc/apt")) -> tuple[AptSource, ...]:
    """Reads every source that apt on this machine uses.

    Args:
        folder: apt's configuration folder.

    Returns:
        The sources in the order of their files; none where there is no apt.
    """
    parts = folder / "sources.list.d"
    sources = []
    for path in [folder / "sources.list", *sorted(parts.glob("*.list"))]:
        if path.is_file():
            sources += parse_one_line(path.read_text(encoding="utf-8", errors="replace"))
    for path in sorted(parts.glob("*.sources")):
        sources += parse_deb822(path.read_text(encoding="utf-8", errors="replace"))
    return tuple(sources)
