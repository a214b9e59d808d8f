"""Orchestrators by name: `runners/NAME.py` holds `run`, which takes a wired pipeline to its end."""

import importlib
from collections.abc import Callable
from typing import cast


def runner(name: str) -> Callable[..., None]:
    """Finds the `run` of an orchestrator, such as `local` or `beam`."""
    return cast(Callable[..., None], importlib.import_module(f"pipeline.runners.{name}").run)
