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
    is_preset = path.is_file() and path.resolve().parent == PRESETS.resolve()
    return path.stem if is_preset else path.name
