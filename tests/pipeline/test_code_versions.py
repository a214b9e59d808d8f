"""An edit of any module reruns exactly what imports it, by the hashes of the wired pipeline."""

import functools
import json
import re
from importlib import metadata
from pathlib import Path

import pytest

from components import code_version as module
from components.code_version import PACKAGES, code_version
from components.convert import source
from tests.pipeline.command import REPOSITORY
from tests.pipeline.wired import wire

pytestmark = pytest.mark.slow

FILES = {
    ".".join(parts[:-1] if parts[-1] == "__init__" else parts): path
    for package in PACKAGES
    for path in (REPOSITORY / package).rglob("*.py")
    for parts in [path.relative_to(REPOSITORY).with_suffix("").parts]
}
_FOR_TYPES = re.compile(r"^if TYPE_CHECKING:\n(?:    .*\n|\n)+", re.MULTILINE)
_FROM = re.compile(r"^ *from ([\w.]+) import (\([^)]*\)|.*)$", re.MULTILINE)
_IMPORT = re.compile(r"^ *import ([\w.]+)", re.MULTILINE)
_STRING = re.compile(r"[\"']([\w.]+\.\w+)[\"']")


def mentioned(path: Path) -> set[str]:
    """The modules that a file's text names in imports and strings, found without a parser."""
    text = _FOR_TYPES.sub("", path.read_text())
    names = {*_IMPORT.findall(text), *_STRING.findall(text)}
    for first, imported in _FROM.findall(text):
        names |= {first, *(f"{first}.{name}" for name in re.findall(r"\w+", imported))}
    return names & FILES.keys()


MENTIONED = {name: mentioned(path) for name, path in FILES.items()}


def closure(entries: tuple[str, ...]) -> set[str]:
    """All modules that some modules import, with the packages around them."""
    found: set[str] = set()
    waiting = set(entries)
    while waiting:
        name = waiting.pop()
        found.add(name)
        parents = {name.rsplit(".", depth)[0] for depth in range(1, name.count(".") + 1)}
        waiting |= (MENTIONED[name] | parents) - found
    return found


@pytest.fixture(scope="module")
def entries():
    """The modules by which each component's code is found, and what comes before the components."""
    asked = {}

    def remembered(*names):
        version = code_version(*names)
        asked[version] = names
        return version

    with pytest.MonkeyPatch.context() as patch:
        for user in ("hashed", "import_example_gen"):
            patch.setattr(f"components.{user}.code_version", remembered)
        patch.setattr("pipeline.pipeline.code_version", remembered)
        patch.setattr("pipeline.training_code.code_version", remembered)
        wired = wire("tuner.enabled=true", "tuner.trials=3")
    found = {"conversion": (source._CODE,), "drawing": ("components.synthetic.generate",)}
    for node in wired.components:
        text = json.dumps({name: str(value) for name, value in node.exec_properties.items()})
        versions = [version for version in asked if version in text]
        if versions:
            (found[node.id],) = (asked[version] for version in versions)
    return found


@pytest.fixture(scope="module")
def rerun(entries):
    """For each module the components whose hash an edit of it changes."""
    contents = {path: path.read_bytes() for path in FILES.values()}
    with pytest.MonkeyPatch.context() as patch:
        # The files are read once, and looked for once.
        patch.setattr(Path, "read_bytes", lambda path: contents[path])
        for owner, name in ((module, "_file"), (metadata, "version")):
            patch.setattr(owner, name, functools.cache(getattr(owner, name)))
        before = {node: code_version(*names) for node, names in entries.items()}
        found = {}
        for name, path in FILES.items():
            contents[path] += b"\n# edited\n"
            found[name] = {node for node in entries if code_version(*entries[node]) != before[node]}
            contents[path] = contents[path].removesuffix(b"\n# edited\n")
    return found


def test_an_edit_of_any_module_reruns_exactly_the_components_that_import_it(entries, rerun):
    imported = {node: closure(names) for node, names in entries.items()}
    expected = {name: {node for node in imported if name in imported[node]} for name in FILES}
    assert {name: rerun[name] for name in FILES if rerun[name] != expected[name]} == {}
    assert all(any(node in nodes for nodes in rerun.values()) for node in entries)


MEASURED = {"Evaluator", "ServingCheck", "Report"}


@pytest.mark.parametrize(
    ("edited", "nodes"),
    [
        ("transform_module.preprocessing", {"Transform"}),
        (
            "transform_module.images.contrast",
            {"conversion", "Transform", "Trainer", "Tuner", *MEASURED},
        ),
        ("trainer_module.training.losses", {"Trainer", "Tuner"}),
        ("trainer_module.models.cnn", {"Trainer", "Tuner"}),
        ("trainer_module.models.compact", set()),
        ("trainer_module.search.tuner_fn", {"Trainer", "Tuner"}),
        ("components.schema_gen", {"ExampleValidator"}),
        ("serving.versions.pushed", {"Baseline", *MEASURED}),
        ("components.evaluator.tfma_metrics", {"Evaluator"}),
        ("components.synthetic.drawing", {"drawing"}),
        ("components.convert.screening.likeness", {"conversion"}),
        ("serving.server.server", {"ServingCheck"}),
        ("serving.report.page", {"Report"}),
        ("pipeline.pipeline", set()),
    ],
)
def test_such_as(rerun, edited, nodes):
    assert rerun[edited] == nodes
