"""What a task is handed, by release; the expected values are those of Kubeflow's sources."""

import json
from pathlib import Path

import pytest
from google.protobuf import json_format

from components.task import COPIES_ROOT
from pipeline.cluster.rehearsal import compiled
from pipeline.cluster.rehearsal.kubeflow_launcher import RELEASES, KubeflowLauncher
from tests.pipeline.cluster.rehearsal.tiny import MODEL, pipeline
from transform_module.errors import UserError

SESSION = {"Provider": "gs", "Params": {"fromEnv": "true"}}


def begun(folder, like, root="gs://bucket/runs"):
    content = pipeline()
    content["defaultPipelineRoot"] = root
    container = content["deploymentSpec"]["executors"]["e1"]["container"]
    container["args"] += [COPIES_ROOT, "/"]
    file = folder / "pipeline.yaml"
    file.write_text(json.dumps(content))
    return KubeflowLauncher(compiled.read(file), RELEASES[like], folder, {})


def started(launcher, folder, task="first", made=None):
    invoked = launcher.start(task, made or {}, folder / task)
    return invoked, json_format.MessageToDict(invoked.executor_input)


def finished(launcher, invoked, metadata, files=("saved_model.pb",)):
    """Does what a task does: writes its output and reports it."""
    (artifact,) = invoked.executor_input.outputs.artifacts["model"].artifacts
    for name in files:
        local = invoked.folder / "disk" / artifact.uri.replace("://", "/").replace("gs/", "gcs/", 1)
        (local / name).parent.mkdir(parents=True, exist_ok=True)
        (local / name).write_text(name)
    content = {"artifacts": {"model": {"artifacts": [{"uri": artifact.uri, "metadata": metadata}]}}}
    file = Path(invoked.executor_input.outputs.output_file)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))
    return launcher.finish(invoked)


def output(given, name):
    (artifact,) = given["outputs"]["artifacts"][name]["artifacts"]
    return artifact


@pytest.mark.parametrize("like", RELEASES)
def test_outputs_are_handed_as_the_driver_provisions_them(tmp_path, like):
    invoked, given = started(begun(tmp_path, like), tmp_path)
    model, disk = output(given, "model"), f"{tmp_path}/first/disk"
    assert model["type"] == MODEL["artifactType"]
    *_, name, run, task = model["uri"].split("/")[:7]
    assert (name, task) == ("tiny", "first")
    others = set(given["outputs"]["artifacts"]) - {"model"}
    root = model["uri"].rpartition("/")[0]
    if like == "kubeflow-2.0":
        assert model["uri"] == f"gs://bucket/runs/tiny/{run}/first/model"
        assert others == set()
    else:
        assert len(model["uri"].split("/")) == 9
        assert others == {"executor-logs"}
        logs = output(given, "executor-logs")
        assert logs["type"] == {"schemaTitle": "system.Artifact"}
        attempt = "-0" if like == "kubeflow-2.17" else ""
        assert logs["uri"] == f"{root}/executor-logs{attempt}"
    if like == "kubeflow-2.17":
        assert model["name"] == "model"
        local = root.replace("gs://", f"{disk}/gcs/")
        assert given["outputs"]["outputFile"] == f"{local}/output_metadata.json"
    else:
        assert "name" not in model
        assert given["outputs"]["outputFile"] == f"{disk}/tmp/kfp_outputs/output_metadata.json"
    assert invoked.command[-2:] == [COPIES_ROOT, disk]
    assert json.loads(invoked.command[-3]) == given


@pytest.mark.parametrize("like", RELEASES)
def test_inputs_are_handed_as_the_driver_reads_them_from_the_metadata_store(tmp_path, like):
    launcher = begun(tmp_path, like)
    invoked, _ = started(launcher, tmp_path)
    metadata = {"number": 42, "said": "x", "good": True, "all": [1], "each": {"a": 1}}
    made = {"first": finished(launcher, invoked, metadata)}
    _, given = started(launcher, tmp_path, "second", made)
    (model,) = given["inputs"]["artifacts"]["model"]["artifacts"]
    assert model["type"] == {"instanceSchema": ""}
    assert model["name"].isdigit()
    expected = {
        "number": 42,
        "said": "x",
        "good": 1,
        "all": {"list": [1]},
        "each": {"struct": {"a": 1}},
        "display_name": "model",
    }
    if like != "kubeflow-2.0":
        session = json.loads(model["metadata"].pop("store_session_info"))
        assert session == SESSION
    assert model["metadata"] == expected


def test_files_go_through_the_store_to_the_next_tasks_disk(tmp_path):
    launcher = begun(tmp_path, "kubeflow-2.5")
    invoked, _ = started(launcher, tmp_path)
    (tmp_path / "first/disk/gcs/empty").mkdir(parents=True)
    made = {"first": finished(launcher, invoked, {}, files=("a", "b/c"))}
    assert not (tmp_path / "first/disk").exists()
    (model,) = made["first"]["model"]
    assert {each.name for each in launcher.path(model).rglob("*")} == {"a", "b", "c"}
    _, given = started(launcher, tmp_path, "second", made)
    local = model.uri.replace("gs://", f"{tmp_path}/second/disk/gcs/")
    assert Path(local, "b/c").read_text() == "b/c"
    report = output(given, "report")["uri"].replace("gs://", f"{tmp_path}/second/disk/gcs/")
    assert Path(report).parent.is_dir()
    assert not Path(report).exists()


@pytest.mark.parametrize(
    ("root", "folder"), [("s3://b/r", "s3/b/r"), ("minio://mlpipeline/v2", "minio/mlpipeline/v2")]
)
def test_each_kind_of_store_has_its_folder(tmp_path, root, folder):
    started(begun(tmp_path, "kubeflow-2.17", root), tmp_path)
    assert (tmp_path / "first" / "disk" / folder).is_dir()


def test_an_output_reported_by_a_local_path_is_not_uploaded(tmp_path):
    launcher = begun(tmp_path, "kubeflow-2.5")
    invoked, _ = started(launcher, tmp_path)
    (artifact,) = invoked.executor_input.outputs.artifacts["model"].artifacts
    artifact.uri = "/gcs/bucket/model"
    (model,) = finished(launcher, invoked, {}, files=())["model"]
    assert model.uri == "/gcs/bucket/model"
    assert not (tmp_path / "store").exists()


def test_a_property_that_is_null_is_refused(tmp_path):
    launcher = begun(tmp_path, "kubeflow-2.5")
    invoked, _ = started(launcher, tmp_path)
    with pytest.raises(UserError, match="first: the property reason of its output model is null"):
        finished(launcher, invoked, {"reason": None})


def test_an_output_elsewhere_is_refused(tmp_path):
    launcher = begun(tmp_path, "kubeflow-2.5")
    invoked, _ = started(launcher, tmp_path)
    (artifact,) = invoked.executor_input.outputs.artifacts["model"].artifacts
    artifact.uri = "gs://other/model"
    with pytest.raises(UserError, match="it reports the output gs://other/model, which is not"):
        finished(launcher, invoked, {})


def test_a_root_on_a_disk_is_refused(tmp_path):
    with pytest.raises(
        UserError, match="Kubeflow stores outputs in gs://, s3:// or minio:// alone"
    ):
        started(begun(tmp_path, "kubeflow-2.5", "/mnt/volume"), tmp_path)
