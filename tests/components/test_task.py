import json

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import ExecutorInput

from components.task import COPIES_ROOT, read
from transform_module.errors import UserError


def argv(*others, **parameters):
    invocation = {
        "inputs": {"parameterValues": parameters},
        "outputs": {
            "artifacts": {"model": {"artifacts": [{"uri": "gs://bucket/run/model"}]}},
            "outputFile": "/tmp/kfp_outputs/output_metadata.json",
        },
    }
    given = json.dumps(invocation)
    return ["task.py", "--json_serialized_invocation_args", given, "--other", "1", *others]


def model(task):
    word = task.argv[task.argv.index("--json_serialized_invocation_args") + 1]
    given = json_format.Parse(word, ExecutorInput())
    return given.outputs.artifacts["model"].artifacts[0].uri


def test_tfx_gets_the_command_line_and_beam_what_the_parameter_says():
    task = read(argv(beam_args="--runner=DataflowRunner --experiments='a b'", epochs=3))
    assert task.argv[0] == "task.py"
    assert task.argv[1:3] == ["--other", "1"]
    assert task.argv[-2:] == ["--runner=DataflowRunner", "--experiments=a b"]
    assert task.output_file == "/tmp/kfp_outputs/output_metadata.json"


@pytest.mark.parametrize("parameters", [{}, {"beam_args": ""}, {"epochs": 3}])
def test_without_it_nothing_is_added(parameters):
    task = read(argv(**parameters))
    assert task.argv[-2] == "--json_serialized_inputs_spec_args"
    word = task.argv[task.argv.index("--json_serialized_invocation_args") + 1]
    assert json.loads(word).get("inputs", {}).get("parameterValues", {}) == parameters


def test_a_quotation_without_its_end_is_reported():
    with pytest.raises(UserError, match="No closing quotation"):
        read(argv(beam_args="--name='x"))


def test_a_task_works_in_the_launchers_folders_where_there_are_any():
    task = read(argv(COPIES_ROOT, "/"))
    assert COPIES_ROOT not in task.argv
    assert model(task) == "/gcs/bucket/run/model"
    assert task.uris == {"/gcs/bucket/run/model": "gs://bucket/run/model"}


@pytest.mark.parametrize(
    "given", [argv(), argv(COPIES_ROOT, "/", beam_args="--runner DataflowRunner")]
)
def test_a_task_whose_work_is_done_elsewhere_gets_the_stores_own_uris(given):
    task = read(given)
    assert model(task) == "gs://bucket/run/model"
    assert task.uris == {}
