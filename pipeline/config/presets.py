"""The configurations that are shipped with the package."""

from pathlib import Path
from typing import Final

PRESETS: Final = Path(__file__).parents[1] / "configs"


def presets() -> list[str]:
    """Returns their names."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def description(name: str) -> str:
    """Returns the sentence that a preset begins with, without its full stop."""
    with (PRESETS / f"{name}.yaml").open(encoding="utf-8") as file:
        return file.readline().strip("# \n.")


def is_preset(source: str) -> bool:
    """Returns whether a preset's name or its file is given; a file of that name wins."""
    path = Path(source)
    if path.is_file():
        return path.resolve().parent == PRESETS.resolve()
    return source in presets()


def named(source: str | None) -> str:
    """Names a configuration briefly.

    Args:
        source: a preset's name or a file's path; None is all defaults.

    Returns:
        The preset, also where its file was given; else the file's name; empty for all defaults.
    """
    if source is None:
        return ""
    path = Path(source)
    return path.stem if is_preset(source) else path.name
