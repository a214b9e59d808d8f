"""Outputs that were damaged between two runs, on both orchestrators."""

import logging
from pathlib import Path

import pytest
from tfx.types import standard_artifacts

from components.baseline.component import Baseline
from pipeline.root.metadata import executions
from pipeline.runners import launching


def model_of(orchestrated, run):
    (uri,) = executions(orchestrated.store, run).get("Baseline").outputs["model"]
    return Path(uri)


@pytest.fixture(autouse=True)
def files(monkeypatch):
    """Lets the component leave two files."""
    executor = Baseline.EXECUTOR_SPEC.executor_class
    latest = executor.Do

    def do(self, input_dict, output_dict, exec_properties):
        latest(self, input_dict, output_dict, exec_properties)
        folder = Path(output_dict["model"][0].uri)
        (folder / "variables").mkdir(parents=True, exist_ok=True)
        (folder / "saved_model.pb").write_bytes(b"graph")
        (folder / "variables" / "data").write_bytes(b"weights")

    monkeypatch.setattr(executor, "Do", do)


DAMAGES = {
    "flipped": lambda folder: (folder / "saved_model.pb").write_bytes(b"grapH"),
    "cut": lambda folder: (folder / "variables" / "data").write_bytes(b"wei"),
    "removed": lambda folder: (folder / "saved_model.pb").unlink(),
    "added": lambda folder: (folder / "more").touch(),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_output_is_computed_again_and_the_file_is_reported(orchestrated, caplog, name):
    version = str(100 + list(DAMAGES).index(name))
    orchestrated.run(f"{name}-first", version=version)
    orchestrated.run(f"{name}-again", version=version, uncached=["Pusher"])
    assert orchestrated.cached()["Baseline"]
    DAMAGES[name](model_of(orchestrated, f"{name}-again"))
    with caplog.at_level(logging.WARNING, "pipeline.runners"):
        orchestrated.run(f"{name}-healed", version=version, uncached=["Pusher"])
    assert not orchestrated.cached()["Baseline"]
    (line,) = [each for each in caplog.messages if "computed again" in each]
    assert str(model_of(orchestrated, f"{name}-again")) in line
    healed = model_of(orchestrated, f"{name}-healed")
    assert (healed / "saved_model.pb").read_bytes() == b"graph"
    assert not (healed / "more").exists()
    orchestrated.run(f"{name}-last", version=version, uncached=["Pusher"])
    assert orchestrated.cached()["Baseline"]


def test_a_component_starts_with_an_empty_folder(orchestrated):
    orchestrated.run("old store", version="18")
    left = model_of(orchestrated, "old store")
    for file in orchestrated.folder.glob("metadata/*"):
        file.unlink()
    number = int(left.name)
    # Another store counts its executions anew, and comes to the same folders.
    for former in range(1, number + 5):
        (left.parent / str(former)).mkdir(exist_ok=True)
        (left.parent / str(former) / "of another run").touch()
    orchestrated.run("new store", version="18")
    made = model_of(orchestrated, "new store")
    assert sorted(path.name for path in made.iterdir()) == ["saved_model.pb", "variables"]


def test_a_pipeline_of_another_name_shares_the_cache(orchestrated, monkeypatch):
    orchestrated.run("name", version="19")
    pipeline = orchestrated.pipeline

    def renamed(version):
        wired = pipeline(version)
        wired.pipeline_info.pipeline_name = "another"
        return wired

    monkeypatch.setattr(orchestrated, "pipeline", renamed)
    orchestrated.run("other name", version="19", uncached=["Pusher"])
    assert orchestrated.cached()["Baseline"]


@pytest.mark.parametrize(
    ("kind", "blessed", "passes"),
    [
        (standard_artifacts.InfraBlessing, 0, True),
        (standard_artifacts.InfraBlessing, 1, False),
        # What the Evaluator finds depends on the model and the data alone.
        (standard_artifacts.ModelBlessing, 0, False),
    ],
)
def test_only_a_refusal_by_the_serving_check_is_not_kept(kind, blessed, passes):
    artifact = kind()
    artifact.set_int_custom_property("blessed", blessed)
    assert launching.may_pass(kind.TYPE_NAME, artifact.mlmd_artifact) is passes


@pytest.mark.parametrize("passes", [True, False])
def test_what_may_pass_is_computed_again(orchestrated, monkeypatch, passes):
    version = f"3{int(passes)}"
    monkeypatch.setattr(launching, "may_pass", lambda *_: passes)
    orchestrated.run(f"passes-{passes}", version=version)
    orchestrated.run(f"passes-{passes}-again", version=version, uncached=["Pusher"])
    assert orchestrated.cached()["Baseline"] is not passes
