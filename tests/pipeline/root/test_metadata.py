import json

import pytest

from pipeline.root import metadata
from pipeline.root.metadata import executions
from serving.versions import pushed
from tests.pipeline.orchestrated import CODE, CONFIGURATION


@pytest.fixture(scope="module")
def runs(orchestrated):
    """The records in the store of a first run and of its repetition."""
    orchestrated.run("first", version="17")
    orchestrated.run("again", version="17", uncached=["Pusher"])
    return executions(orchestrated.store, "first"), executions(orchestrated.store, "again")


def test_every_component_that_the_run_came_to_is_reported(runs):
    first, again = runs
    assert (
        set(first)
        == set(again)
        == {
            "Importer",
            "InfraImporter",
            "ModelImporter",
            "Baseline",
            "Pusher",
        }
    )


def test_a_run_that_is_not_there_has_none(orchestrated, runs):
    assert executions(orchestrated.store, "another") == {}


def test_a_store_that_is_not_there_yet_is_made_and_has_none(tmp_path):
    assert executions(tmp_path / "new" / "metadata.sqlite", "first") == {}


def test_parameters_are_those_that_the_cache_sees_and_json_is_parsed(orchestrated, runs):
    first, _ = runs
    assert first["Baseline"].parameters == {
        "push_dir": str(orchestrated.folder / "pushed"),
        "model_name": "cxr",
        "version": "17",
        "code": CODE,
    }


def test_parameters_that_are_empty_are_left_out(orchestrated, runs):
    first, _ = runs
    assert first["Pusher"].parameters == {
        "push_dir": str(orchestrated.folder / "pushed"),
        "model_name": "cxr",
        "configuration": json.loads(CONFIGURATION),
    }


def test_of_a_component_that_failed_the_parameters_are_reported_and_nothing_else(
    orchestrated, runs, monkeypatch
):
    def fail(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(pushed, "newest", fail)
    with pytest.raises(Exception, match="Input/output error"):
        orchestrated.run("failed", version="18")
    failed = executions(orchestrated.store, "failed")["Baseline"]
    assert set(failed.parameters) == {"push_dir", "model_name", "version", "code"}
    assert failed.outputs == {}


def test_inputs_and_outputs_are_folders_by_channel(orchestrated, runs):
    first, _ = runs
    (model,) = first["Baseline"].outputs["model"]
    assert model.startswith(str(orchestrated.folder / "artifacts" / "Baseline" / "model"))
    assert first["Baseline"].inputs == {"trained": [str(orchestrated.folder)]}
    assert first["Pusher"].inputs == {
        "model": [model],
        "model_blessing": [str(orchestrated.folder)],
        "infra_blessing": [str(orchestrated.folder)],
    }


def test_a_cached_component_shows_the_folders_of_the_earlier_run(runs):
    first, again = runs
    assert again["Baseline"].outputs == first["Baseline"].outputs
    assert again["Pusher"].outputs != first["Pusher"].outputs


@pytest.mark.parametrize("run", [0, 1])
def test_what_a_component_says_of_its_artifacts_is_reported(runs, run):
    properties = runs[run]["Baseline"].properties["model"]
    assert properties["present"] == 0
    assert "nothing is pushed" in properties["reason"]


def test_the_connection_makes_the_folder_of_the_store(tmp_path):
    metadata.connection(tmp_path / "a" / "b" / "store.sqlite")
    assert (tmp_path / "a" / "b").is_dir()
