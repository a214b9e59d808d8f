"""A folder is published here and in a store by one contract."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from serving.files import claim
from serving.files.publication import publish, staged, update
from tests.s3_store import BUCKET
from transform_module.errors import UserError
from transform_module.files.place import names_below
from transform_module.files.store_path import StorePath

RECORD = "record"


@pytest.fixture
def stored(store):
    return StorePath(f"s3://{BUCKET}/{uuid.uuid4().hex}")


@pytest.fixture(params=["here", "in a store"])
def folder(request, tmp_path, stored):
    return tmp_path if request.param == "here" else stored


def fill(folder, files):
    for name, content in files.items():
        path = folder / name
        if isinstance(path, Path):
            path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="ascii")


def tree(folder):
    return {name: (folder / name).read_text(encoding="ascii") for name in names_below(folder)}


def replaced(out, files):
    with staged(out) as new:
        fill(new, files)
        publish(new, out, RECORD)


def test_a_folder_takes_the_place_of_the_former_one(folder):
    out = folder / "out"
    replaced(out, {"a/1": "1", "a/2": "2", RECORD: "r"})
    replaced(out, {"a/2": "new", "b/1": "3", RECORD: "s"})
    assert tree(folder) == {"out/a/2": "new", "out/b/1": "3", f"out/{RECORD}": "s"}


def test_what_is_not_published_is_removed(folder):
    replaced(folder / "out", {RECORD: "r"})

    def failing():
        with staged(folder / "out") as new:
            fill(new, {RECORD: "s"})
            raise ValueError("within")

    with pytest.raises(ValueError, match="within"):
        failing()
    assert tree(folder) == {f"out/{RECORD}": "r"}


def test_some_files_are_replaced_alone(folder):
    out = folder / "out"
    replaced(out, {"a/1": "1", "list": "l", RECORD: "r"})
    with staged(out) as new:
        fill(new, {"list": "m", RECORD: "s"})
        update(new, out, RECORD, lambda: None)
    assert tree(folder) == {"out/a/1": "1", "out/list": "m", f"out/{RECORD}": "s"}


@pytest.fixture
def order(monkeypatch):
    """What happens to the objects of a store."""
    seen = []

    def watch(name):
        act = getattr(StorePath, name)

        def watched(self, *arguments, **options):
            seen.append((name, self.name))
            return act(self, *arguments, **options)

        monkeypatch.setattr(StorePath, name, watched)

    watch("unlink")
    watch("copy_from")
    return seen


def test_in_a_store_the_record_goes_first_and_comes_last(stored, order):
    out = stored / "out"
    replaced(out, {"a/1": "1", RECORD: "r"})
    order.clear()
    replaced(out, {"a/1": "2", "a/2": "3", RECORD: "s"})
    assert order == [
        ("unlink", RECORD),
        ("copy_from", "1"),
        ("copy_from", "2"),
        ("copy_from", RECORD),
    ]


def test_in_a_store_nothing_changes_where_the_check_fails(stored):
    out = stored / "out"
    replaced(out, {"list": "l", RECORD: "r"})

    def refuse():
        raise UserError("others")

    with staged(out) as new:
        fill(new, {"list": "m", RECORD: "s"})
        with pytest.raises(UserError, match="others"):
            update(new, out, RECORD, refuse)
    assert tree(out) == {"list": "l", RECORD: "r"}


def test_in_a_store_processes_take_turns(stored, monkeypatch):
    monkeypatch.setattr(claim, "_FIRST_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(claim, "_ATTEMPTS", 12)
    out = stored / "out"
    start = threading.Barrier(3)

    def publishes(number):
        with staged(out) as new:
            fill(new, {f"a/{each}": str(number) for each in range(5)} | {RECORD: str(number)})
            start.wait()
            publish(new, out, RECORD)

    with ThreadPoolExecutor() as pool:
        list(pool.map(publishes, range(3)))
    assert len(set(tree(out).values())) == 1


def test_a_bucket_is_never_an_output():
    with (
        pytest.raises(UserError, match="s3://bucket is a whole bucket"),
        staged(StorePath("s3://bucket")),
    ):
        pass
