import pytest

from tests import object_store
from tests.object_store import write
from transform_module.files import remote


@pytest.fixture
def place():
    return object_store.new_place()


def test_only_what_has_a_scheme_is_remote():
    assert remote.is_remote("gs://bucket/folder")
    assert not remote.is_remote("/data/folder")


def test_files_are_listed_by_their_paths_in_the_folder(place):
    write(f"{place}/a/b/c.txt", "c")
    write(f"{place}/a/d.txt", "d")
    assert remote.files(f"{place}/a") == ["b/c.txt", "d.txt"]
    assert remote.files(f"{place}/nowhere") == []
