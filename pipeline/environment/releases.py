"""The distributions' releases that carry a new enough glibc, and what is pinned of them.

tcmalloc comes along: the system's own, if any, is for its own glibc (see `pipeline.run.allocator`).

A release here is old enough to be on every mirror and new enough for the wheels. The sums are those
of the distributions' signed indices; renew them from `apt-cache show`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Package:
    """A binary package for amd64.

    Attributes:
        name: its name.
        version: the exact version; empty for whatever version the mirror has, which apt verifies
            by the distribution's signature.
        sha256: the SHA-256 sum of that version's file.
    """

    name: str
    version: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Release:
    """A release of a distribution: its suites on a mirror, and the packages taken from it."""

    label: str
    suites: tuple[str, ...]
    packages: tuple[Package, ...]


DEBIAN_13 = Release(
    label="Debian 13 (trixie)",
    suites=("trixie",),
    packages=(
        Package(
            "libc6",
            "2.41-12+deb13u5",
            "b59b0625cd1a791375d40dab23a4d5d3d0641e3d0a773501becdc3725b7f99cf",
        ),
        Package(
            "libgcc-s1",
            "14.2.0-19",
            "3c71917b490d1a17aed43196a2787a256ecf060526cdb20216a74bedc061b150",
        ),
        Package(
            "libstdc++6",
            "14.2.0-19",
            "ab1fa05837aa7a92aae748fd07a18a35f7d18bb4a71c4724fe2bbf0e32089de0",
        ),
        Package(
            "libtcmalloc-minimal4t64",
            "2.16-1",
            "98fcefd2ae81bf1c332b84829e84b994b34b58f339416166b40682030d4a44e0",
        ),
    ),
)

UBUNTU_24_04 = Release(
    label="Ubuntu 24.04 (noble)",
    suites=("noble", "noble-updates"),
    packages=(
        Package(
            "libc6",
            "2.39-0ubuntu8.12",
            "d821b41fc59cb4978ecd53bc83e5c964ac15d305c8d2ac4c8a35aebe55010fb9",
        ),
        Package(
            "libgcc-s1",
            "14.2.0-4ubuntu2~24.04.1",
            "aa7fadbe33b78bcf99885318040601c550c208929565b179891d9a3cc2aa68cd",
        ),
        Package(
            "libstdc++6",
            "14.2.0-4ubuntu2~24.04.1",
            "a51f8de7829211db961a31f02158058ad1a95f92ac6d0a5dff6350e2821c54c0",
        ),
        Package(
            "libtcmalloc-minimal4t64",
            "2.15-3build1",
            "f4ebba418cc336c07d82f9e3b89b2abe570637cf321d2f899e4ec718f86447ca",
        ),
    ),
)

# Keyed by the families of os-release, the more special first: Ubuntu is also like Debian.
BY_FAMILY = {"ubuntu": UBUNTU_24_04, "debian": DEBIAN_13}
