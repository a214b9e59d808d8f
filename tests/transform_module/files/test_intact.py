import pytest

from transform_module.files import intact
from transform_module.files.sums import sums


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "a").write_bytes(b"first")
    (tmp_path / "inside" / "b").write_bytes(b"")
    return tmp_path


def test_a_folder_that_is_as_it_was_has_no_damage(folder):
    recorded = sums(folder)
    assert set(recorded) == {"a", "inside/b"}
    assert list(intact.damage(folder, recorded)) == []


DAMAGES = {
    "flipped": (lambda folder: (folder / "a").write_bytes(b"firsT"), "a is damaged"),
    "cut": (lambda folder: (folder / "a").write_bytes(b"fir"), "a is damaged"),
    "removed": (lambda folder: (folder / "a").unlink(), "a is missing"),
    "grown": (lambda folder: (folder / "inside" / "b").write_bytes(b"1"), "inside/b is damaged"),
    "added": (lambda folder: (folder / "c").touch(), "c does not belong there"),
    "a link that leads nowhere": (
        lambda folder: (folder / "c").symlink_to("nowhere"),
        "c does not belong there",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found_with_its_file(folder, name):
    recorded = sums(folder)
    change, message = DAMAGES[name]
    change(folder)
    assert list(intact.damage(folder, recorded)) == [f"{folder}/{message}"]


def test_a_flipped_byte_is_found_where_size_and_time_stayed(folder):
    import os

    recorded, former = sums(folder), (folder / "a").stat()
    (folder / "a").write_bytes(b"firsT")
    os.utime(folder / "a", ns=(former.st_atime_ns, former.st_mtime_ns))
    assert list(intact.damage(folder, recorded))


def test_a_file_beside_may_be_there(folder):
    recorded = sums(folder)
    (folder / "notes").touch()
    assert list(intact.damage(folder, recorded, beside=["notes"])) == []


def test_a_folder_that_is_gone_misses_all(folder, tmp_path):
    assert list(intact.damage(tmp_path / "gone", {"a": "0"})) == [f"{tmp_path}/gone/a is missing"]
