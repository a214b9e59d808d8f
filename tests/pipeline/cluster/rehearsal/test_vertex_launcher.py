import json
from pathlib import Path

from google.protobuf import json_format

from pipeline.cluster.rehearsal import compiled
from pipeline.cluster.rehearsal.vertex_launcher import VertexLauncher
from tests.pipeline.cluster.rehearsal.tiny import MODEL, pipeline


def test_artifacts_are_handed_with_type_name_and_metadata(tmp_path):
    file = tmp_path / "pipeline.json"
    file.write_text(json.dumps({"pipelineSpec": pipeline()}))
    vertex = VertexLauncher(compiled.read(file), {})
    invoked = vertex.start("first", {}, tmp_path / "first")
    (model,) = invoked.executor_input.outputs.artifacts["model"].artifacts
    content = {"artifacts": {"model": {"artifacts": [{"metadata": {"number": 42}}]}}}
    Path(invoked.executor_input.outputs.output_file).parent.mkdir()
    Path(invoked.executor_input.outputs.output_file).write_text(json.dumps(content))
    made = vertex.finish(invoked)
    second = vertex.start("second", {"first": made}, tmp_path / "second")
    given = json_format.MessageToDict(second.executor_input)
    (handed,) = given["inputs"]["artifacts"]["model"]["artifacts"]
    assert handed == {
        "name": model.name,
        "type": MODEL["artifactType"],
        "uri": f"{tmp_path}/first/model",
        "metadata": {"number": 42},
    }
    assert handed["name"].startswith("projects/")
    assert vertex.path(made["model"][0]) == tmp_path / "first" / "model"
