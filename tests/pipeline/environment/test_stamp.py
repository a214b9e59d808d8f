import sys

import pytest

from pipeline.environment.stamp import is_ready, mark_ready


@pytest.fixture
def venv(venv):
    venv.mkdir()
    return venv


def test_nothing_is_not_ready(venv, checkout):
    assert not is_ready(venv, checkout)


def test_what_was_marked_is_ready(venv, checkout):
    mark_ready(venv, checkout)
    assert is_ready(venv, checkout)


@pytest.mark.parametrize("name", ["requirements.lock", "setup.py"])
def test_a_change_of_what_it_is_made_from_makes_it_not_ready(venv, checkout, name):
    mark_ready(venv, checkout)
    (checkout / name).write_text("changed\n")
    assert not is_ready(venv, checkout)


def test_a_moved_checkout_is_not_ready(venv, checkout, tmp_path):
    mark_ready(venv, checkout)
    moved = checkout.rename(tmp_path / "elsewhere")
    assert not is_ready(moved / ".venv", moved)


def test_another_python_makes_it_not_ready(venv, checkout, monkeypatch, tmp_path):
    mark_ready(venv, checkout)
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    assert not is_ready(venv, checkout)


def test_a_readme_changes_nothing(venv, checkout):
    mark_ready(venv, checkout)
    (checkout / "README.md").write_text("new\n")
    assert is_ready(venv, checkout)
