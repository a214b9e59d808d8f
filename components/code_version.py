"""A hash of the code that a component runs, found by following its imports.

TFX's cache sees the path of a function, not its code: each component has this hash as a parameter.
"""

import ast
import functools
import hashlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from transform_module.errors import UserError

PACKAGES: Final = frozenset(
    ("components", "pipeline", "serving", "trainer_module", "transform_module")
)
"""The packages of this project: an import is followed within them."""

# Dozens of libraries share it, none of which computes.
_NAMESPACES: Final = frozenset(("google",))

_DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.\w+)+")


def code_version(*entries: str) -> str:
    """Returns a hash of all code that some modules import, and of the libraries that it uses.

    Args:
        entries: modules that run, such as ``components.evaluator.component``. A module that is
            imported by a name made at run time, such as the chosen model's or that of the user's
            own function, is an entry too.

    Returns:
        16 hexadecimal digits. They change with the name or content of a module in `modules`, with
        the version of a library that one of them imports, and with nothing else: not with dates,
        the folder of the package, other modules, or files that are not Python.

    Raises:
        UserError: there is no such module.
    """
    digest = hashlib.sha256()
    libraries: set[str] = set()
    for name, path in sorted(modules(*entries).items()):
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
        libraries |= _libraries(content)
    for library in sorted(libraries):
        digest.update(f"{library}=={metadata.version(library)}\0".encode())
    return digest.hexdigest()[:16]


def modules(*entries: str) -> dict[str, Path]:
    """Returns all modules of this project that some modules import, directly or through others.

    Nothing is imported to find them. An import counts at any depth of the code, except for what
    only a type checker reads. A string that is the name of a module counts as an import of it:
    TFX and child processes are given modules by name. Of an entry that is not of this project all
    are found that are of its own package, or of no installed library.

    Args:
        entries: names of modules.

    Returns:
        The file of each module, by its name; the entries and the packages around them among them.

    Raises:
        UserError: there is no such module.
    """
    found: dict[str, Path] = {}
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        path = _file(name)
        if path is None:
            raise UserError(f"There is no module {name}; reinstall the package.")
        found[name] = path
        waiting += (each for each in _parents(name) if each not in found and _file(each))
        waiting += (
            each
            for each in _mentioned(path.read_bytes())
            if each not in found and _is_followed(each, name) and _file(each)
        )
    return found


def _is_followed(name: str, importer: str) -> bool:
    package, own = name.partition(".")[0], importer.partition(".")[0]
    if package in PACKAGES or package == own:
        return True
    return own not in PACKAGES and not (
        package in sys.stdlib_module_names or package in _distributions()
    )


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _file(module: str) -> Path | None:
    """Returns a module's file, or None if there is none of Python."""
    package, *names = module.split(".")
    specification = importlib.util.find_spec(package)
    if specification is None:
        return None
    if not names:
        # A folder without an __init__.py is a package without a file.
        origin = specification.origin or ""
        return Path(origin) if origin.endswith(".py") else None
    for folder in specification.submodule_search_locations or ():
        path = Path(folder).joinpath(*names)
        for file in (path / "__init__.py", path.with_name(f"{path.name}.py")):
            if file.is_file():
                return file
    return None


@functools.cache
def _mentioned(content: bytes) -> frozenset[str]:
    """Returns what a file imports, or names in a string, and could be a module."""
    names: set[str] = set()
    for node in _executed(ast.parse(content)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names |= {node.value} if _DOTTED.fullmatch(node.value) else set()
    return frozenset(names)


@functools.cache
def _libraries(content: bytes) -> frozenset[str]:
    """Returns the installed libraries whose modules a file imports."""
    firsts = {name.split(".")[0] for name in _mentioned(content)}
    firsts -= sys.stdlib_module_names | PACKAGES | _NAMESPACES
    return frozenset(library for first in firsts for library in _distributions().get(first, ()))


@functools.cache
def _distributions() -> dict[str, list[str]]:
    """Returns the installed libraries by the modules that they hold."""
    return dict(metadata.packages_distributions())


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Yields the nodes of a syntax tree, without those that only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from (each for child in node.orelse for each in (child, *_executed(child)))
        else:
            yield node
            yield from _executed(node)
