import gc
import importlib
import subprocess
import sys
import types

import pytest

from serving.process.collector import importing, without_keras


@pytest.fixture(autouse=True)
def as_before():
    yield
    gc.enable()
    gc.unfreeze()


def test_nothing_is_collected_within():
    with importing():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_was_made_is_never_searched():
    with importing():
        made = [[] for _ in range(1000)]
    assert gc.get_freeze_count() >= len(made)
    assert not any(each is made for each in gc.get_objects())


def test_a_failed_import_leaves_it_on():
    with pytest.raises(ImportError), importing():
        raise ImportError
    assert gc.isenabled()


def test_who_has_turned_it_off_finds_it_off():
    gc.disable()
    with importing():
        pass
    assert not gc.isenabled()


class TestWithoutKeras:
    @pytest.fixture(autouse=True)
    def not_imported(self, monkeypatch):
        for name in [name for name in sys.modules if name.partition(".")[0] == "keras"]:
            monkeypatch.delitem(sys.modules, name)

    def test_it_is_not_there_within(self):
        with without_keras(), pytest.raises(ImportError):
            importlib.import_module("keras.src.optimizers")
        assert "keras" not in sys.modules

    def test_who_has_imported_it_keeps_it(self, monkeypatch):
        keras = types.ModuleType("keras")
        monkeypatch.setitem(sys.modules, "keras", keras)
        with without_keras():
            assert importlib.import_module("keras") is keras
        assert sys.modules["keras"] is keras


def test_tensorflow_goes_on_without_keras_and_finds_it_later():
    program = """
import sys
from serving.process.collector import without_keras
with without_keras():
    import tensorflow as tf
print("keras" in sys.modules)
print(tf.keras.layers.Dense(1)(tf.ones([1, 1])).shape)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "(1,", "1)"]
