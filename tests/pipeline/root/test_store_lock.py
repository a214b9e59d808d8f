import contextlib
import os
import sqlite3

import pytest

from pipeline.root.store_lock import require_unlocked
from transform_module.errors import UserError


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.root.store_lock._PATIENCE_SECONDS", 0.05)
    path = tmp_path / "metadata.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
    return path


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_locked_store_is_reported_with_who_has_it_open(store, how):
    with contextlib.closing(sqlite3.connect(store)) as connection:
        connection.execute(f"BEGIN {how}")
        with pytest.raises(UserError) as caught:
            require_unlocked(store)
    message = str(caught.value)
    assert message.startswith(f"{store} is locked by process {os.getpid()} (")
    assert message.endswith("Close the program that has it open, and give the same command again.")


def test_a_store_that_is_free_read_by_others_or_absent_is_left_as_it_is(store, tmp_path):
    before = store.read_bytes()
    with contextlib.closing(sqlite3.connect(store)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM t").fetchall()
        require_unlocked(store)
    require_unlocked(tmp_path / "absent.sqlite")
    assert store.read_bytes() == before
    assert list(tmp_path.iterdir()) == [store]


def test_damage_is_not_for_here(store):
    store.write_bytes(b"no database" * 1000)
    require_unlocked(store)
