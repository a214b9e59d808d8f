"""Cleaning a root, with a metadata store as TFX leaves it."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner
from ml_metadata import metadata_store as mlmd
from ml_metadata.proto import metadata_store_pb2 as proto

from pipeline.cli.commands.clean_command import clean as command
from pipeline.root.cleaning import clean
from pipeline.root.metadata import connection
from pipeline.root.metadata_store import require_whole, sign
from pipeline.root.root import Root
from pipeline.root.root_lock import root_lock
from pipeline.run_records import run_record
from serving.versions.push import locked
from tests.pipeline.records import run
from transform_module.errors import UserError

RUNS = ("20260301-120000", "20260302-120000")


@pytest.fixture
def root(tmp_path):
    """Two runs: each has trained, and the second took the examples of the first."""
    root = Root.at(tmp_path)
    store = mlmd.MetadataStore(connection(root.metadata))
    kinds = [
        store.put_context_type(proto.ContextType(name=name)) for name in ("pipeline_run", "node")
    ]
    execution_type = store.put_execution_type(proto.ExecutionType(name="component"))
    artifact_type = store.put_artifact_type(proto.ArtifactType(name="Model"))
    examples = None
    for number, identity in enumerate(RUNS, start=1):
        run_record.save(run(identity, started=f"2026-03-0{number}T12:00:00"), root.runs)
        root.log(identity).parent.mkdir(exist_ok=True)
        root.log(identity).touch()
        context = proto.Context(type_id=kinds[0], name=identity)
        for node in ("ImportExampleGen", "Trainer"):
            execution = proto.Execution(
                type_id=execution_type, last_known_state=proto.Execution.COMPLETE
            )
            uri = f"{root.artifacts}/{node}/output/{number}"
            artifact = proto.Artifact(type_id=artifact_type, uri=uri, state=proto.Artifact.LIVE)
            if node == "ImportExampleGen" and examples:
                artifact = examples
            else:
                os.makedirs(uri)
                with open(f"{uri}/file", "wb") as file:
                    file.write(b"1" * 4096)
            event = proto.Event(type=proto.Event.OUTPUT)
            event.path.steps.add().key = "output"
            _, artifacts, _ = store.put_execution(
                execution,
                [(artifact, event)],
                [context, proto.Context(type_id=kinds[1], name=f"p.{node}")],
                reuse_context_if_already_exist=True,
            )
            if node == "ImportExampleGen" and not examples:
                (examples,) = store.get_artifacts_by_id(artifacts)
    sign(root.metadata)
    return root


def outputs(root):
    return sorted(
        path.relative_to(root.artifacts).as_posix() for path in root.artifacts.glob("*/*/*")
    )


ALL = ["ImportExampleGen/output/1", "Trainer/output/1", "Trainer/output/2"]


def test_a_trial_removes_nothing_and_shows_what_it_would_free(root):
    found = {each.name: each for each in clean(root, keep=1, remove=False)}
    assert [path.name for path in found["artifacts"].paths] == ["1"]
    assert found["artifacts"].freed == 4096
    assert outputs(root) == ALL
    assert len(list(root.runs.glob("*.json"))) == 2


def test_what_the_kept_run_took_from_the_cache_stays(root):
    clean(root, keep=1, remove=True)
    assert outputs(root) == ["ImportExampleGen/output/1", "Trainer/output/2"]
    assert [path.stem for path in root.runs.glob("*.json")] == [RUNS[1]]
    assert [path.stem for path in root.log(RUNS[1]).parent.iterdir()] == [RUNS[1]]


def test_the_store_knows_what_is_gone_and_is_whole(root):
    clean(root, keep=1, remove=True)
    require_whole(root.metadata)
    states = {
        each.uri: each.state
        for each in mlmd.MetadataStore(connection(root.metadata)).get_artifacts()
    }
    assert states.pop(f"{root.artifacts}/Trainer/output/1") == proto.Artifact.DELETED
    assert set(states.values()) == {proto.Artifact.LIVE}


def test_a_second_time_there_is_nothing_to_clean(root):
    clean(root, keep=1, remove=True)
    assert not any(each.paths for each in clean(root, keep=1, remove=True))


def test_with_enough_runs_kept_nothing_goes(root):
    assert not any(each.paths for each in clean(root, keep=2, remove=True))
    assert outputs(root) == ALL


def test_while_a_run_is_going_on_nothing_is_cleaned(root):
    with root_lock(root.path), pytest.raises(UserError, match="Another run holds"):
        clean(root, keep=1, remove=True)
    assert outputs(root) == ALL


def test_a_damaged_store_stops_it(root):
    content = root.metadata.read_bytes()
    root.metadata.write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"metadata\.sqlite is damaged"):
        clean(root, keep=1, remove=True)
    assert outputs(root) == ALL


def test_without_a_store_the_records_show_what_is_needed(root):
    kept = run(RUNS[1], started="2026-03-02T12:00:00")
    used = {"output": [f"{root.artifacts}/Trainer/output/2"]}
    read = {"examples": [f"{root.artifacts}/ImportExampleGen/output/1"]}
    trainer = run_record.ComponentRecord(
        name="Trainer", seconds=1, peak_memory=0, state="finished", inputs=read, outputs=used
    )
    run_record.save(kept.model_copy(update={"components": [trainer]}), root.runs)
    root.metadata.unlink()
    clean(root, keep=1, remove=True)
    assert outputs(root) == ["ImportExampleGen/output/1", "Trainer/output/2"]


def test_one_that_is_killed_leaves_a_whole_store(root, monkeypatch):
    monkeypatch.setattr("pipeline.root.metadata_store.sign", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        clean(root, keep=1, remove=True)
    require_whole(root.metadata)


def test_a_damaged_record_does_not_stop_it_and_its_artifacts_stay(root):
    (root.runs / f"{RUNS[1]}.json").write_text("")
    clean(root, keep=1, remove=True)
    assert outputs(root) == ALL


def test_a_folder_without_runs_is_left_alone(tmp_path):
    (tmp_path / "artifacts" / "a" / "b" / "1").mkdir(parents=True)
    with pytest.raises(UserError, match="No run has begun"):
        clean(Root.at(tmp_path), keep=1, remove=True)
    assert (tmp_path / "artifacts" / "a" / "b" / "1").exists()


def test_the_command_is_a_trial_unless_it_has_yes(root):
    given = ["--root", str(root.path), "--keep", "1"]
    shown = CliRunner().invoke(command, given)
    assert shown.exit_code == 0
    assert "4,096" in shown.output
    assert "with --yes" in shown.output
    assert outputs(root) == ALL
    record = json.loads(CliRunner().invoke(command, [*given, "--yes", "--json"]).output)
    assert record["removed"]
    assert next(each for each in record["groups"] if each["what"] == "artifacts")["bytes"] == 4096
    assert outputs(root) == ALL[:1] + ALL[2:]


def test_what_another_push_is_writing_is_not_removed(root):
    folder = root.pushed / "chest_xray"
    unfinished = folder / ".tmp-17"
    unfinished.mkdir(parents=True)
    with ThreadPoolExecutor(1) as threads:
        with locked(folder):
            # Who only looks waits for nobody.
            found = {each.name: each.paths for each in clean(root, keep=1, remove=False)}
            assert unfinished in found["unfinished"]
            cleaning = threads.submit(clean, root, keep=1, remove=True)
            with pytest.raises(TimeoutError):
                cleaning.result(1)
            assert unfinished.is_dir()
            version = unfinished.rename(folder / "17")
        cleaning.result(60)
    assert version.is_dir()
