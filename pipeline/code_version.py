"""A content hash of the code that a component runs.

TFX's cache sees the path of a function, not its code, so each component is given this hash.
"""

import hashlib
import importlib.util
from pathlib import Path

from components.errors import UserError


def code_version(*modules: str) -> str:
    """Hashes the Python files of modules and packages, without importing them.

    Args:
      modules: Names such as `trainer_module` (a package, with all that is below it) or
        `components.evaluator` (one file).

    Returns:
      16 hexadecimal digits. They change with a file's name or content, and with nothing else:
      not with dates, the folder that the package stands in, or files that are not Python.

    Raises:
      UserError: If there is no such module.
    """
    digest = hashlib.sha256()
    for module in sorted(modules):
        for name, path in _files(module):
            content = path.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:16]


def _files(module: str) -> list[tuple[str, Path]]:
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        raise UserError(f"There is no module {module}; reinstall the package.")
    origin = Path(spec.origin)
    if spec.submodule_search_locations is None:
        return [(module, origin)]
    return [
        (f"{module}/{path.relative_to(origin.parent).as_posix()}", path)
        for path in sorted(origin.parent.rglob("*.py"))
    ]
