"""Tasks of TFX in Kubeflow's hands; without what makes them run they fail as in a cluster."""

import json
import shutil

import pytest
from google.protobuf import json_format

from components.task import COPIES_ROOT
from pipeline.cluster.rehearsal import compiled
from pipeline.cluster.rehearsal.kubeflow_launcher import RELEASES
from pipeline.cluster.rehearsal.rehearse import Rehearsal
from tests.pipeline.cluster.rehearsal.tiny import pipeline
from tests.pipeline.command import REPOSITORY
from transform_module.errors import UserError

pytestmark = pytest.mark.slow

EXECUTOR = """
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio

class Executor(base_executor.BaseExecutor):
    def Do(self, inputs, outputs, properties):
        read = [fileio.open(f"{each.uri}/file").read() for (each,) in inputs.values()]
        for name, (made,) in outputs.items():
            fileio.makedirs(made.uri)
            with fileio.open(f"{made.uri}/file", "w") as file:
                file.write(" ".join([*read, name]))
            types = [each.type_name for (each,) in inputs.values()]
            made.set_string_custom_property("read", " ".join(types))
            made.set_string_custom_property("where", made.uri)
"""
COMPLETE = "    task_input.complete(given, declared)\n"
LOCALIZE = "task_input.localize(given, options.copies_root)"
REMOTE = "            _name_the_store(task)\n"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """What the image holds, and an executor that reads its inputs and writes its outputs."""
    folder = tmp_path_factory.mktemp("source")
    for package in ("components", "pipeline", "serving", "transform_module"):
        shutil.copytree(
            REPOSITORY / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    (folder / "components" / "echo.py").write_text(EXECUTOR)
    return folder


@pytest.fixture
def run(tmp_path, source):
    def run(like, without="", instead=""):
        content = pipeline()
        content["defaultPipelineRoot"] = "minio://mlpipeline/v2/artifacts"
        for label, component in (("e1", "first"), ("e2", "second")):
            declared = content["components"][component]["inputDefinitions"]
            container = content["deploymentSpec"]["executors"][label]["container"]
            container["command"] = ["python", "-m", "components.task"]
            container["args"] = [
                *("--executor_class_path", "components.echo.Executor"),
                *("--json_serialized_invocation_args", "{{$}}"),
                *("--json_serialized_inputs_spec_args", json.dumps(declared)),
                *(COPIES_ROOT, "/"),
            ]
        task = source / "components" / "task.py"
        text = (REPOSITORY / "components" / "task.py").read_text()
        assert without in text
        task.write_text(text.replace(without, instead) if without else text)
        file = tmp_path / "pipeline.yaml"
        file.write_text(json.dumps(content))
        return Rehearsal(compiled.read(file), tmp_path / "rehearsal", source, {}, like=like).run()

    return run


@pytest.mark.parametrize("like", RELEASES)
def test_tasks_run_as_each_release_starts_them(run, tmp_path, like):
    _, second = run(like).done
    (report,) = second.artifacts["report"]
    metadata = json_format.MessageToDict(report.metadata)
    assert metadata["read"] == "Model"
    assert metadata["where"] == report.uri
    stored = tmp_path / "rehearsal" / "store" / report.uri.replace("://", "/")
    assert (stored / "file").read_text() == "model report"


@pytest.mark.parametrize(
    ("like", "without", "instead", "message"),
    [
        ("kubeflow-2.0", COMPLETE, "", "second: .*'NoneType' object has no attribute 'get'"),
        ("kubeflow-2.5", COMPLETE, "", "first: .*Could not import system.Artifact"),
        ("kubeflow-2.17", COMPLETE, "", "first: .*Could not import system.Artifact"),
        ("kubeflow-2.5", LOCALIZE, "{}", "first: .*UnimplementedError"),
        ("kubeflow-2.5", REMOTE, "", "second: .*NotFoundError"),
    ],
)
def test_without_what_makes_them_run_they_fail_as_on_the_cluster(
    run, like, without, instead, message
):
    with pytest.raises(UserError, match=message):
        run(like, without, instead)
