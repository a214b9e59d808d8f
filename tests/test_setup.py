"""Every distribution that the code imports is declared."""

import ast
import importlib.metadata
import re
import runpy
import sys
from collections import defaultdict
from pathlib import Path
from unittest import mock

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def given():
    """What setup.py gives to setuptools."""
    with mock.patch("setuptools.setup") as setup:
        runpy.run_path(str(ROOT / "setup.py"))
    return setup.call_args.kwargs


def named(requirement):
    return re.split(r"[\[<>=!~;, ]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def declared(given):
    """Names of the distributions that an installation with the extra `cluster` has, and whence."""
    requirements = [*given["install_requires"], *given["extras_require"]["cluster"]]
    names = {named(each) for each in requirements}
    # An extra is a list of distributions under another name.
    for each in requirements:
        for extra in re.findall(r"\[(.+?)\]", each):
            for inner in importlib.metadata.requires(named(each)) or []:
                if f'extra == "{extra}"' in inner or f"extra == '{extra}'" in inner:
                    names.add(named(inner))
    return names


def imports(packages):
    """The files that import each module of others, by the module's whole name."""
    found = defaultdict(set)
    for package in packages:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names = [f"{node.module}.{alias.name}" for alias in node.names]
                else:
                    continue
                for name in names:
                    found[name].add(str(path.relative_to(ROOT)))
    return found


@pytest.fixture(scope="module")
def providers():
    """The distributions that have each folder or file at the top, or in `google`."""
    found = defaultdict(set)
    for each in importlib.metadata.distributions():
        for path in each.files or []:
            parts = path.with_suffix("").parts
            for depth in range(1, min(len(parts), 4) + 1 if parts[0] == "google" else 2):
                found[".".join(parts[:depth])].add(named(each.name))
    return found


def undeclared(given, providers):
    """The modules that no declared distribution has: who has them, and who imports them."""
    ours = {name.split(".")[0] for name in given["packages"]}
    assert ours == {"pipeline", "components", "transform_module", "trainer_module", "serving"}
    known = declared(given)
    missing = {}
    for module, files in imports(ours).items():
        top = module.split(".")[0]
        if top in ours or top in sys.stdlib_module_names:
            continue
        # Several distributions share the package `google`: the deepest folder decides.
        parts = module.split(".")[: 4 if top == "google" else 1]
        while ".".join(parts) not in providers and len(parts) > 1:
            parts.pop()
        if not providers[".".join(parts)] & known:
            missing[module] = (sorted(providers[".".join(parts)]), sorted(files))
    return missing


def test_each_import_is_of_a_declared_distribution(given, providers):
    assert undeclared(given, providers) == {}


def test_an_import_that_is_not_declared_is_found(given, providers):
    kept = [each for each in given["install_requires"] if named(each) != "keras"]
    missing = undeclared({**given, "install_requires": kept}, providers)
    assert {module.split(".")[0] for module in missing} == {"keras"}
    assert missing["keras"][0] == ["keras"]
