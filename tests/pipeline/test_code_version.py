import os
import shutil
import sys
from importlib import metadata

import pytest

from components.errors import UserError
from pipeline.code_version import code_version
from pipeline.recipe import TRAINER_CODE


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A package with a file beside it, importable, in a folder of its own."""
    folder = tmp_path / "code" / "some_room"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "layers.py").write_text("DEPTH = 3\n")
    (folder / "models" / "__init__.py").write_text("")
    (folder / "models" / "cnn.py").write_text("raise RuntimeError('must not be imported')\n")
    (folder / "README.md").write_text("about\n")
    monkeypatch.syspath_prepend(folder.parent)
    return folder


def test_a_version_is_16_hexadecimal_digits(room):
    assert len(code_version("some_room")) == 16
    assert int(code_version("some_room"), 16) >= 0


CHANGES = {
    "an edited line": lambda room: (room / "layers.py").write_text("DEPTH = 4\n"),
    "an edited line below": lambda room: (room / "models" / "cnn.py").write_text("DEPTH = 3\n"),
    "a new file": lambda room: (room / "models" / "new.py").touch(),
    "a removed file": lambda room: (room / "models" / "cnn.py").unlink(),
    "a renamed file": lambda room: (room / "layers.py").rename(room / "layer.py"),
    "a moved line": lambda room: (
        (room / "layers.py").write_text(""),
        (room / "__init__.py").write_text("DEPTH = 3\n"),
    ),
}

OTHERS = {
    "the README": lambda room: (room / "README.md").write_text("changed\n"),
    "a notebook": lambda room: (room / "try.ipynb").write_text("{}"),
    "a date": lambda room: os.utime(room / "layers.py", (1, 1)),
    "compiled code": lambda room: (room / "layers.cpython-311.pyc").write_bytes(b"\0"),
    "a test beside it": lambda room: (room.parent / "test_layers.py").write_text("1"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_version_changes_with(room, change):
    before = code_version("some_room")
    CHANGES[change](room)
    assert code_version("some_room") != before


@pytest.mark.parametrize("change", OTHERS)
def test_the_version_does_not_change_with(room, change):
    before = code_version("some_room")
    OTHERS[change](room)
    assert code_version("some_room") == before


def test_another_version_of_a_library_that_a_file_imports_counts(room, monkeypatch):
    (room / "layers.py").write_text("def deep():\n    from keras import layers\n    import json\n")
    before, version = code_version("some_room"), metadata.version

    def upgraded(library):
        return lambda name: "99" if name == library else version(name)

    monkeypatch.setattr(metadata, "version", upgraded("pytest"))
    assert code_version("some_room") == before
    monkeypatch.setattr(metadata, "version", upgraded("keras"))
    assert code_version("some_room") != before


@pytest.mark.parametrize("library", ["tensorflow", "keras", "tfx", "tensorflow-transform", "numpy"])
def test_a_model_follows_from_the_libraries_that_it_is_trained_with(monkeypatch, library):
    before, version = code_version(*TRAINER_CODE), metadata.version
    monkeypatch.setattr(
        metadata, "version", lambda name: "99" if name == library else version(name)
    )
    assert code_version(*TRAINER_CODE) != before


def test_the_version_is_the_same_in_another_folder(room, monkeypatch, tmp_path):
    before = code_version("some_room")
    shutil.move(room.parent, tmp_path / "elsewhere")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    assert code_version("some_room") == before


def test_one_module_is_one_file(room):
    before = code_version("some_room.layers")
    (room / "models" / "cnn.py").write_text("changed\n")
    assert code_version("some_room.layers") == before
    (room / "layers.py").write_text("changed\n")
    assert code_version("some_room.layers") != before


def test_every_module_that_is_named_counts_in_any_order(room):
    both = code_version("some_room", "some_room.layers")
    assert both == code_version("some_room.layers", "some_room")
    assert len({both, code_version("some_room"), code_version("some_room.layers")}) == 3


def test_the_code_is_not_imported(room):
    code_version("some_room", "some_room.models.cnn")
    assert "some_room.models.cnn" not in sys.modules


@pytest.mark.parametrize("name", ["no_such_room", "some_room.absent", "no_such_room.layers"])
def test_a_module_that_is_not_there_is_named(room, name):
    with pytest.raises(UserError, match=f"^There is no module {name}; reinstall the package"):
        code_version(name)


def test_the_rooms_of_this_package_differ():
    rooms = ["transform_module", "trainer_module", "components.evaluator", "components.pusher"]
    assert len({code_version(room) for room in rooms}) == 4
