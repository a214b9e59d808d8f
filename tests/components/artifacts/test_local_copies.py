from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from components.artifacts.local_copies import local_copies
from tests import object_store
from tests.object_store import read, write
from transform_module.files import remote


@pytest.fixture
def place():
    return object_store.new_place()


def artifact(uri):
    made = standard_artifacts.Model()
    made.uri = uri
    return made


def test_an_input_is_here_while_it_is_read(place):
    write(f"{place}/model/sub/file", "content")
    model = artifact(f"{place}/model")
    with local_copies(inputs=[model]):
        assert not remote.is_remote(model.uri)
        assert Path(model.uri, "sub/file").read_text() == "content"
    assert model.uri == f"{place}/model"


def test_an_output_is_there_in_the_end(place):
    model = artifact(f"{place}/model")
    with local_copies(outputs=[model]):
        write(f"{model.uri}/sub/file", "made")
    assert model.uri == f"{place}/model"
    assert read(f"{place}/model/sub/file") == "made"


def test_what_failed_leaves_no_output(place):
    model = artifact(f"{place}/model")

    def fail():
        with local_copies(outputs=[model]):
            write(f"{model.uri}/file", "half")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert model.uri == f"{place}/model"
    assert remote.files(f"{place}/model") == []


def test_what_is_local_stays_where_it_is(tmp_path):
    model = artifact(str(tmp_path))
    with local_copies(inputs=[model], outputs=[model]):
        assert model.uri == str(tmp_path)
