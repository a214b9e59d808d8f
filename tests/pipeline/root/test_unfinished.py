import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline.root.metadata import connection
from pipeline.root.unfinished import remove_unfinished

Execution = metadata_store_pb2.Execution
FOLDERS = ("Trainer/model/{}", "Trainer/.system/executor_execution/{}/.temp/{}", "Report/report/{}")


@pytest.fixture
def metadata(tmp_path):
    return tmp_path / "metadata.sqlite"


def test_what_killed_executions_left_is_removed_and_nothing_else(metadata, tmp_path):
    store = metadata_store.MetadataStore(connection(metadata))
    kind = store.put_execution_type(metadata_store_pb2.ExecutionType(name="Trainer"))
    states = (Execution.COMPLETE, Execution.RUNNING, Execution.CACHED, Execution.FAILED)
    ids = store.put_executions(
        [Execution(type_id=kind, last_known_state=state) for state in states]
    )
    made = [
        tmp_path / "artifacts" / folder.format(each, each) for each in ids for folder in FOLDERS
    ]
    stateful = tmp_path / "artifacts" / "Trainer" / ".system" / "stateful_working_dir" / "x"
    for folder in (*made, stateful):
        folder.mkdir(parents=True)

    remove_unfinished(metadata, tmp_path / "artifacts")

    kept = {each for each in made if each.exists()}
    assert {each for each in made if f"/{ids[1]}" not in str(each)} == kept
    assert not stateful.exists()
    assert [each.last_known_state for each in store.get_executions()] == [
        *(Execution.COMPLETE, Execution.FAILED, Execution.CACHED, Execution.FAILED)
    ]


def test_where_no_run_has_come_to_a_component_nothing_is_made(metadata, tmp_path):
    remove_unfinished(metadata, tmp_path / "artifacts")
    assert list(tmp_path.iterdir()) == []
