"""A private glibc for the environment's interpreter, on systems whose own is too old."""

from __future__ import annotations

from pathlib import Path

from pipeline.environment.commands import run

_LIBRARIES = Path("usr/lib/x86_64-linux-gnu")
_LOADER = "ld-linux-x86-64.so.2"


def patch(interpreter: Path, folder: Path, patchelf: Path) -> None:
    """Makes an interpreter use the private glibc, and only it: no program that it starts.

    Args:
        interpreter: a copy of Python, not a link to the system's.
        folder: where the packages of the private glibc are unpacked.
        patchelf: the program that edits ELF files.
    """
    libraries = folder / _LIBRARIES
    doing = f"Patching {interpreter.name}"
    former = run([patchelf, "--print-rpath", interpreter], doing).strip()
    run(
        [
            patchelf,
            "--set-interpreter",
            libraries / _LOADER,
            # DT_RPATH, which counts for the libraries of extension modules too; DT_RUNPATH doesn't.
            "--force-rpath",
            "--set-rpath",
            ":".join(filter(None, [str(libraries), former])),
            # Wheels are linked against a newer libstdc++ than the system may have.
            "--add-needed",
            "libstdc++.so.6",
            "--add-needed",
            "libgcc_s.so.1",
            interpreter,
        ],
        doing,
    )
