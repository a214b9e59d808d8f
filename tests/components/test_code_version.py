import json
import os
import shutil
import subprocess
import sys
from importlib import metadata

import pytest

from components import code_version as module
from components.code_version import PACKAGES, code_version, modules
from trainer_module.models import NAMES
from transform_module.errors import UserError

FILES = {
    "__init__": "",
    "entry": "from animals import paws\n",
    "paws": "def claws():\n    import animals.fur.hair\n",
    "fur/__init__": "",
    "fur/hair": "COLOUR = 'animals.fur.dye'\n",
    "fur/dye": "raise RuntimeError('must not be imported')\n",
    "beak": "",
    "typed": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from animals import beak\n",
}
IMPORTED = ("__init__", "entry", "paws", "fur/__init__", "fur/hair", "fur/dye")


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Modules of a user's own, beside one another."""
    modules = {
        "own_entry": "import numpy, own_beside, own_package.inner\nimport transform_module.text\n",
        "own_beside": "NAME = 'own_package.named'\nimport json, own_missing\n",
        "own_package/inner": "",
        "own_package/named": "",
        "own_package/other": "",
    }
    for name, text in modules.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_of_a_users_module_all_is_found_that_is_of_no_library(own):
    found = set(modules("own_entry"))
    assert {name for name in found if name.startswith("own_")} == {
        "own_entry",
        "own_beside",
        "own_package.inner",
        "own_package.named",
    }
    assert {name.split(".")[0] for name in found} - PACKAGES == {
        "own_entry",
        "own_beside",
        "own_package",
    }
    assert "transform_module.text" in found


def test_a_library_counts_by_its_version_and_a_users_module_by_its_content(own, monkeypatch):
    before, version = code_version("own_entry"), metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: version(name) + "+" * (name == "numpy"))
    assert code_version("own_entry") != before
    monkeypatch.undo()
    (own / "own_package" / "inner.py").write_text("# edited\n")
    monkeypatch.syspath_prepend(own)
    assert code_version("own_entry") != before


def test_a_module_of_this_project_leads_to_none_of_a_user(own, package):
    (package / "entry.py").write_text("import own_beside\n")
    assert set(modules("animals.entry")) == {"animals", "animals.entry"}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of the project, importable, in a folder of its own."""
    folder = tmp_path / "code" / "animals"
    for name, text in FILES.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(folder.parent)
    monkeypatch.setattr(module, "PACKAGES", PACKAGES | {"animals"})
    return folder


def test_a_version_is_16_hexadecimal_digits(package):
    assert len(code_version("animals.entry")) == 16
    assert int(code_version("animals.entry"), 16) >= 0


@pytest.mark.parametrize("name", FILES)
def test_an_edit_counts_if_the_file_is_imported_directly_or_through_others(package, name):
    before = code_version("animals.entry")
    with (package / f"{name}.py").open("a") as file:
        file.write("# edited\n")
    assert (code_version("animals.entry") != before) == (name in IMPORTED)


def test_what_only_a_type_checker_reads_is_not_imported(package):
    assert set(modules("animals.typed")) == {"animals", "animals.typed"}


def test_the_branch_that_runs_beside_a_type_checkers_is_imported(package):
    with (package / "typed.py").open("a") as file:
        file.write("else:\n    from animals import paws\n")
    assert "animals.paws" in modules("animals.typed")
    assert "animals.beak" not in modules("animals.typed")


def test_files_that_import_each_other_are_each_found_once(package):
    (package / "paws.py").write_text("from animals import entry\n")
    assert set(modules("animals.entry")) == {"animals", "animals.entry", "animals.paws"}


CHANGES = {
    "a renamed file": lambda package: (
        (package / "paws.py").rename(package / "feet.py"),
        (package / "entry.py").write_text("from animals import feet\n"),
    ),
    "a moved line": lambda package: (
        (package / "entry.py").write_text(""),
        (package / "__init__.py").write_text(FILES["entry"]),
    ),
}

OTHERS = {
    "the README": lambda package: (package / "README.md").write_text("changed\n"),
    "a new file": lambda package: (package / "new.py").touch(),
    "a date": lambda package: os.utime(package / "paws.py", (1, 1)),
    "compiled code": lambda package: (package / "paws.cpython-311.pyc").write_bytes(b"\0"),
    "a test beside it": lambda package: (package.parent / "test_paws.py").write_text("1"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_version_changes_with(package, change):
    before = code_version("animals.entry")
    CHANGES[change](package)
    assert code_version("animals.entry") != before


@pytest.mark.parametrize("change", OTHERS)
def test_the_version_does_not_change_with(package, change):
    before = code_version("animals.entry")
    OTHERS[change](package)
    assert code_version("animals.entry") == before


def test_another_version_of_a_library_that_a_file_imports_counts(package, monkeypatch):
    (package / "paws.py").write_text("def deep():\n    from keras import layers\n    import json\n")
    before, version = code_version("animals.entry"), metadata.version

    def upgraded(library):
        return lambda name: "99" if name == library else version(name)

    monkeypatch.setattr(metadata, "version", upgraded("pytest"))
    assert code_version("animals.entry") == before
    monkeypatch.setattr(metadata, "version", upgraded("keras"))
    assert code_version("animals.entry") != before


@pytest.mark.parametrize("library", ["tensorflow", "keras", "tfx", "tensorflow-transform", "numpy"])
def test_a_model_follows_from_the_libraries_that_it_is_trained_with(monkeypatch, library):
    entries = ("components.trainer", "trainer_module.run", "trainer_module.models.cnn")
    before, version = code_version(*entries), metadata.version
    monkeypatch.setattr(
        metadata, "version", lambda name: "99" if name == library else version(name)
    )
    assert code_version(*entries) != before


def test_the_version_is_the_same_in_another_folder(package, monkeypatch, tmp_path):
    before = code_version("animals.entry")
    shutil.move(package.parent, tmp_path / "elsewhere")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    assert code_version("animals.entry") == before


def test_every_entry_counts_in_any_order(package):
    both = code_version("animals.entry", "animals.beak")
    assert both == code_version("animals.beak", "animals.entry")
    assert len({both, code_version("animals.entry"), code_version("animals.beak")}) == 3


def test_the_code_is_not_imported(package):
    assert "animals.fur.dye" in modules("animals.entry")
    assert not [name for name in sys.modules if name.startswith("animals")]


@pytest.mark.parametrize("name", ["no_such_package", "animals.absent", "animals.fur.none"])
def test_an_entry_that_is_not_there_is_named(package, name):
    with pytest.raises(UserError, match=f"^There is no module {name}; reinstall the package"):
        code_version(name)


NAMED = {
    "ImportExampleGen": ("components.import_example_gen",),
    "ExampleValidator": ("components.example_validator",),
    "Transform": ("transform_module.preprocessing",),
    "Trainer": ("components.trainer", "trainer_module.run", "trainer_module.models.cnn"),
    "Tuner": (
        "components.tuner",
        "trainer_module.search.tuner_fn",
        "trainer_module.models.compact",
    ),
    "Baseline": ("components.baseline.component",),
    "Evaluator": ("components.evaluator.component",),
    "ServingCheck": ("components.serving_check.component",),
    "Report": ("components.report",),
}

# A process of its own imports it: it is named in a string.
ENTRIES = {**NAMED, "ServingCheck": (*NAMED["ServingCheck"], "serving.server.__main__")}

# TFX is imported once; what an entry loads beside it is seen in a fork.
_LOADED = """
import importlib, json, os, sys
import tfx.v1
entries, packages = json.loads(sys.argv[1]), set(json.loads(sys.argv[2]))
for node, names in entries.items():
    if os.fork() == 0:
        for name in names:
            importlib.import_module(name)
        print(node, *(name for name in sys.modules if name.split(".")[0] in packages), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0, node
"""


@pytest.fixture(scope="module")
def loaded():
    """The modules of the project that are in memory once a node's entries were imported."""
    arguments = json.dumps(ENTRIES), json.dumps(sorted(PACKAGES))
    command = [sys.executable, "-c", _LOADED, *arguments]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {node: set(names) for node, *names in map(str.split, output.splitlines())}


@pytest.mark.slow
@pytest.mark.parametrize("node", ENTRIES)
def test_all_modules_that_an_executor_loads_are_in_its_hash(node, loaded):
    assert set(ENTRIES[node]) <= loaded[node]
    # The settings of every model are read, and only the chosen one's have an effect.
    of_models = {f"trainer_module.models.{name}" for name in NAMES}
    assert loaded[node] - of_models <= set(modules(*NAMED[node]))
