"""What holds for every orchestrator, on true runs of cheap components."""

import pytest

from pipeline.run.failure import explain
from pipeline.runners import runner
from serving.versions import pushed
from transform_module.errors import UserError


@pytest.fixture(scope="module", autouse=True)
def first(orchestrated):
    """The first run on the root."""
    orchestrated.run("first")
    return orchestrated.cached(), orchestrated.started


def test_the_log_shows_when_each_component_starts_and_ends(first):
    cached, started = first
    assert sorted(started) == [
        "Baseline",
        "Importer",
        "InfraImporter",
        "ModelImporter",
        "Pusher",
    ]
    assert list(cached) == started


def test_nothing_is_cached_at_first(first):
    cached, _ = first
    assert not cached["Baseline"]
    assert not cached["Pusher"]


def test_the_same_again_is_cached(orchestrated):
    orchestrated.run("same")
    assert orchestrated.cached()["Baseline"]
    assert orchestrated.cached()["Pusher"]


def test_a_node_that_may_not_be_cached_runs_again(orchestrated):
    orchestrated.run("uncached", uncached=["Pusher"])
    assert orchestrated.cached()["Baseline"]
    assert not orchestrated.cached()["Pusher"]


def test_another_parameter_reruns_the_component_and_not_what_gets_equal_inputs(orchestrated):
    orchestrated.run("other", version="16")
    assert not orchestrated.cached()["Baseline"]
    assert orchestrated.cached()["Pusher"]


MESSAGE = "The folder is gone.\nMount it again."


def test_a_component_that_fails_is_reported_with_its_message_and_runs_when_repeated(
    orchestrated, monkeypatch
):
    def fail(*_):
        raise UserError(MESSAGE)

    with monkeypatch.context() as broken:
        broken.setattr(pushed, "newest", fail)
        with pytest.raises(Exception, match="The folder is gone") as caught:
            orchestrated.run("failed", version="17")
    assert explain(caught.value) == MESSAGE
    assert orchestrated.aborted.name == "Baseline"

    orchestrated.run("repeated", version="17")
    cached = orchestrated.cached()
    assert set(cached) == {"Importer", "InfraImporter", "ModelImporter", "Baseline", "Pusher"}
    assert not cached["Baseline"]
    assert orchestrated.aborted is None


def test_an_orchestrator_that_is_not_there_is_an_import_error():
    with pytest.raises(ModuleNotFoundError, match=r"pipeline\.runners\.nomad"):
        runner("nomad")
