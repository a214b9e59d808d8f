import sys

import pytest

from pipeline.run.preflight.own_function_check import own_code, require_function
from tests.transform_module.test_own_function import EXAMPLE
from transform_module.errors import UserError
from transform_module.settings import TransformSettings


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A working directory that is importable only as such."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("own_here", None)


def test_a_module_in_the_working_directory_needs_no_installation(here):
    (here / "own_here.py").write_text(EXAMPLE)
    require_function(TransformSettings(function="own_here.prepare"))
    assert own_code("own_here.prepare") == here / "own_here.py"


def test_a_mistake_is_reported(here):
    (here / "own_here.py").write_text("def prepare(pixels, size):\n    return pixels\n")
    with pytest.raises(UserError, match=r"own_here\.prepare: it returns .* uint8; expected is"):
        require_function(TransformSettings(function="own_here.prepare"))


def test_without_a_function_nothing_is_imported(here):
    require_function(TransformSettings())
    assert str(here) not in sys.path


def test_the_code_is_the_package_at_the_top(here):
    (here / "own_package" / "inner").mkdir(parents=True)
    assert own_code("own_package.inner.module.prepare") == here / "own_package"
    with pytest.raises(UserError, match="there is no module own_gone here"):
        own_code("own_gone.prepare")
