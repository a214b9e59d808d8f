"""The packages depend on one another in one direction, and a module is found by its path."""

import ast
from collections import Counter, defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

BELOW = {
    "transform_module": set(),
    "trainer_module": {"transform_module"},
    "serving": {"transform_module"},
    "components": {"serving", "trainer_module", "transform_module"},
    "pipeline": {"components", "serving", "trainer_module", "transform_module"},
}
"""What each package may import beside itself."""

MOST_MODULES = 13
"""In one folder."""

SHARED_NAMES = {
    "component": "a component of TFX, in the folder that is named as its id",
    "job": "a whole task, from the paths it is given to the files it leaves",
    "kubeflow": "Kubeflow Pipelines: its file, and the client of its server",
    "rest": "REST: the server's side and the client's",
    "rpc": "gRPC: the server's side and the client's",
    "settings": "the settings of what is in its folder",
    "trainer": "the component, and the settings of a training",
    "vertex": "Vertex AI: its file, and the client of its server",
}
"""Names of several modules, and the one meaning that these have."""


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name(path): path for package in BELOW for path in (ROOT / package).rglob("*.py")}


def _imports(path: Path) -> set[str]:
    """Returns the modules of this project that a file imports, for a type checker too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports of this project are absolute"
            names |= {
                whole if (whole := f"{node.module}.{alias.name}") in MODULES else node.module
                for alias in node.names
            }
    return names & set(MODULES)


def _named(path: Path) -> set[str]:
    """Returns the modules that strings of a file name: TFX and child processes get them so."""
    strings = {
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {each for each in strings & set(MODULES) if "." in each}


IMPORTS = {name: _imports(path) - {name} for name, path in MODULES.items()}


@pytest.mark.parametrize("package", BELOW)
def test_a_package_imports_only_what_is_below_it(package):
    allowed = BELOW[package] | {package}
    upward = {
        f"{name}: {each}"
        for name, path in MODULES.items()
        if name.split(".")[0] == package
        for each in IMPORTS[name] | _named(path)
        if each.split(".")[0] not in allowed
    }
    assert upward == set()


def test_no_module_imports_itself_through_others():
    TopologicalSorter(IMPORTS).prepare()  # Raises CycleError.


def test_a_folder_holds_few_modules():
    counts = Counter(path.parent for path in MODULES.values() if path.stem[:2] != "__")
    assert {
        str(folder.relative_to(ROOT)): count
        for folder, count in counts.items()
        if count > MOST_MODULES
    } == {}


def test_modules_of_different_meaning_have_different_names():
    folders = defaultdict(set)
    for path in MODULES.values():
        if path.stem[:2] != "__":
            folders[path.stem].add(str(path.parent.relative_to(ROOT)))
    shared = {stem for stem, where in folders.items() if len(where) > 1}
    assert shared == set(SHARED_NAMES)


@pytest.mark.parametrize("package", BELOW)
def test_each_package_says_what_it_holds(package):
    lacking = [
        name
        for name, path in MODULES.items()
        if name.split(".")[0] == package and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert lacking == []
