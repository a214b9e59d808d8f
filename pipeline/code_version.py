"""A content hash of the code that a component runs, and of the libraries that it computes with.

TFX's cache sees the path of a function, not its code, so each component is given this hash.
"""

import ast
import functools
import hashlib
import importlib.util
import sys
from importlib import metadata
from pathlib import Path

from components.errors import UserError

_OURS = frozenset(("components", "pipeline", "serving", "trainer_module", "transform_module"))
# It is shared by dozens of libraries, none of which computes.
_NAMESPACES = frozenset(("google",))


def code_version(*modules: str) -> str:
    """Hashes the Python files of modules and packages, without importing them.

    Args:
      modules: Names such as `trainer_module` (a package, with all that is below it) or
        `components.evaluator` (one file).

    Returns:
      16 hexadecimal digits. They change with a file's name or content, with the version of a
      library that a file imports, and with nothing else: not with dates, the folder that the
      package stands in, or files that are not Python.

    Raises:
      UserError: If there is no such module.
    """
    digest = hashlib.sha256()
    imported: set[str] = set()
    for module in sorted(modules):
        for name, path in _files(module):
            content = path.read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
            imported |= _imported(content)
    for library in sorted({each for name in imported for each in _distributions().get(name, ())}):
        digest.update(f"{library}=={metadata.version(library)}\0".encode())
    return digest.hexdigest()[:16]


@functools.cache
def _imported(content: bytes) -> frozenset[str]:
    """Returns the first names of the modules of libraries that a file imports, at any depth."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return frozenset(names - sys.stdlib_module_names - _OURS - _NAMESPACES)


@functools.cache
def _distributions() -> dict[str, list[str]]:
    """Returns the installed libraries by the modules that they hold."""
    return dict(metadata.packages_distributions())


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
