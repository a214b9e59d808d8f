"""The user's own function that makes the model's pixels: its check, and where its code is."""

import importlib.util
import os
import sys
from pathlib import Path

from transform_module import own_function
from transform_module.errors import UserError
from transform_module.settings import TransformSettings


def require_function(settings: TransformSettings) -> None:
    """Checks, before anything runs, that the function makes pixels; does nothing without one.

    Raises:
        UserError: it does not.
    """
    if settings.function is not None:
        _import_from_here()
        own_function.check(settings.function, settings.size)


def own_code(function: str) -> Path:
    """Finds the package (a folder) or the module (a file) at the top of a function's path.

    Raises:
        UserError: it is not importable here.
    """
    _import_from_here()
    name = function.partition(".")[0]
    found = importlib.util.find_spec(name)
    if found and found.submodule_search_locations:
        return Path(next(iter(found.submodule_search_locations)))
    if found and found.origin:
        return Path(found.origin)
    raise UserError(f"transform.function is {function}, and there is no module {name} here.")


def _import_from_here() -> None:
    """Makes the working directory importable, as it is for ``python -m``."""
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
