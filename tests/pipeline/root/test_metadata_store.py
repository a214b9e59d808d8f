import sqlite3

import pytest
from ml_metadata import metadata_store as mlmd
from ml_metadata.proto import metadata_store_pb2

from pipeline.root.metadata import connection
from pipeline.root.metadata_store import prepare, require_whole, sign
from transform_module.errors import UserError


def opened(path):
    return mlmd.MetadataStore(connection(path))


@pytest.fixture
def store(tmp_path):
    """A store with two artifacts of a root, and one that lies elsewhere."""
    path = tmp_path / "metadata.sqlite"
    found = opened(path)
    kind = found.put_artifact_type(metadata_store_pb2.ArtifactType(name="Model"))
    found.put_artifacts(
        [
            metadata_store_pb2.Artifact(type_id=kind, uri=uri)
            for uri in (
                f"{tmp_path}/artifacts/Trainer/model/7",
                "/former/place/artifacts/Transform/transform_graph/6",
                "/data/imported",
            )
        ]
    )
    sign(path)
    return path


def uris(path):
    return [each.uri for each in opened(path).get_artifacts()]


def aside(path):
    return sorted(each.name for each in path.parent.glob(f"{path.name}.damaged-*"))


def test_a_whole_store_stays(store, tmp_path):
    prepare(store, tmp_path / "artifacts")
    assert aside(store) == []
    assert len(uris(store)) == 3


def test_artifacts_of_a_root_that_moved_are_found_where_it_is_now(store, tmp_path):
    prepare(store, tmp_path / "artifacts")
    assert uris(store) == [
        f"{tmp_path}/artifacts/Trainer/model/7",
        f"{tmp_path}/artifacts/Transform/transform_graph/6",
        "/data/imported",
    ]


def flip(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


DAMAGES = {
    "a flipped byte of its head": lambda content: flip(content, 20),
    "a flipped byte of a value": lambda content: flip(content, content.index(b"Trainer")),
    "half of it": lambda content: content[: len(content) // 2],
    "no SQLite at all": lambda _: b"no database",
    "nothing": lambda _: b"",
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_store_is_set_aside_with_a_line(store, tmp_path, name, caplog):
    damaged = DAMAGES[name](store.read_bytes())
    store.write_bytes(damaged)
    with pytest.raises(UserError, match="damaged"):
        require_whole(store)
    prepare(store, tmp_path / "artifacts")
    (kept,) = aside(store)
    assert (tmp_path / kept).read_bytes() == damaged
    assert not store.exists()
    (line,) = caplog.messages
    assert "everything is computed again" in line
    assert uris(store) == []


def test_the_store_of_a_killed_run_has_no_checksum_and_stays(store, tmp_path):
    prepare(store, tmp_path / "artifacts")
    found = opened(store)
    found.put_artifact_type(metadata_store_pb2.ArtifactType(name="Schema"))
    prepare(store, tmp_path / "artifacts")
    assert aside(store) == []


def test_without_its_checksum_sqlite_still_finds_what_it_cannot_read(store, tmp_path):
    prepare(store, tmp_path / "artifacts")
    store.write_bytes(store.read_bytes()[: store.stat().st_size // 2])
    prepare(store, tmp_path / "artifacts")
    assert len(aside(store)) == 1


def test_a_store_that_is_gone_leaves_no_checksum_behind(store, tmp_path):
    store.unlink()
    prepare(store, tmp_path / "artifacts")
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_another_process_holds_is_not_damaged(store, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.root.metadata_store._WAIT_SECONDS", 0.01)
    holder = sqlite3.connect(store)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(UserError, match="cannot be read: database is locked"):
        prepare(store, tmp_path / "artifacts")
    holder.close()
    assert aside(store) == []


def test_a_checksum_that_cannot_be_written_whole_leaves_the_former_one(
    store, tmp_path, monkeypatch
):
    former = (tmp_path / "metadata.sqlite.sha256").read_text()

    def cut(path, content):
        with path.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(store), "write_bytes", cut)
        with pytest.raises(OSError, match="No space"):
            sign(store)
    assert (tmp_path / "metadata.sqlite.sha256").read_text() == former
