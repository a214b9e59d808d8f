import json

import pytest
from google.protobuf import json_format
from hypothesis import given as drawn
from hypothesis import strategies as st
from kfp.pipeline_spec.pipeline_spec_pb2 import ComponentInputsSpec, ExecutorInput
from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils as tfx_utils
from tfx.types import standard_artifacts

from components.task_input import complete, localize, remote_again

EXAMPLES = "title: tfx.Examples\ntype: object\n"
DECLARED = {"artifacts": {"examples": {"artifactType": {"instanceSchema": EXAMPLES}}}}
INPUT = {
    "name": "12",
    "uri": "minio://mlpipeline/v2/artifacts/cxr/7/Transform/transformed_examples",
    "type": {"instanceSchema": ""},
    "metadata": {
        "split_names": '["train", "eval"]',
        "span": 0,
        "images": 52,
        "display_name": "examples",
        "store_session_info": '{"Provider": "minio", "Params": {"fromEnv": "false"}}',
    },
}
LOGS = {"type": {"schemaTitle": "system.Artifact"}, "uri": "minio://mlpipeline/7/executor-logs"}
MODEL = {"type": {"instanceSchema": "title: tfx.Model\ntype: object\n"}, "uri": "s3://b/7/model"}


def handed(examples=INPUT, **outputs):
    """What Kubeflow's launcher hands over; see the sources named in `components.task_input`."""
    content = {
        "inputs": {"artifacts": {"examples": {"artifacts": [examples]}}},
        "outputs": {"artifacts": {name: {"artifacts": [each]} for name, each in outputs.items()}},
    }
    return json_format.ParseDict(content, ExecutorInput(), ignore_unknown_fields=True)


def declared():
    return json_format.ParseDict(DECLARED, ComponentInputsSpec())


def test_tfx_reads_what_kubeflow_hands_over_once_it_is_complete():
    given = handed(model=MODEL, **{"executor-logs": LOGS})
    complete(given, declared())
    (examples,) = tfx_utils.parse_raw_artifact_dict(given.inputs.artifacts)["examples"]
    assert isinstance(examples, standard_artifacts.Examples)
    assert examples.id
    assert examples.span == 0
    assert examples.split_names == '["train", "eval"]'
    assert examples.get_int_custom_property("images") == 52
    outputs = tfx_utils.parse_raw_artifact_dict(given.outputs.artifacts)
    assert list(outputs) == ["model"]


@pytest.mark.parametrize(
    ("side", "error", "message"),
    [
        ("inputs", AttributeError, "'NoneType' object has no attribute 'get'"),
        ("outputs", ImportError, "system.Artifact"),
    ],
)
def test_tfx_does_not_read_what_kubeflow_hands_over(side, error, message):
    given = handed(**{"executor-logs": LOGS})
    with pytest.raises(error, match=message):
        tfx_utils.parse_raw_artifact_dict(getattr(given, side).artifacts)


def test_what_vertex_ai_hands_over_stays_as_it_is():
    name = "projects/1/locations/us-central1/metadataStores/default/artifacts/1"
    typed = {**INPUT, "name": name, "type": {"instanceSchema": EXAMPLES}}
    given = handed(typed, model={**MODEL, "name": name})
    before = handed(typed, model={**MODEL, "name": name})
    complete(given, declared())
    assert given == before


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("gs://bucket/cxr/7/model", "/gcs/bucket/cxr/7/model"),
        ("s3://bucket/cxr/7/model", "/s3/bucket/cxr/7/model"),
        ("minio://mlpipeline/v2/artifacts/7/model", "/minio/mlpipeline/v2/artifacts/7/model"),
    ],
)
def test_an_artifact_is_where_the_launcher_has_its_copy(uri, folder):
    given = handed({**INPUT, "uri": uri}, model={**MODEL, "uri": f"{uri}-2"})
    uris = localize(given, "/")
    assert given.inputs.artifacts["examples"].artifacts[0].uri == folder
    assert given.outputs.artifacts["model"].artifacts[0].uri == f"{folder}-2"
    assert uris == {folder: uri, f"{folder}-2": f"{uri}-2"}


@pytest.mark.parametrize("uri", ["/here/model", "ram://bucket/model", "oci://image/model"])
def test_what_no_launcher_copies_stays_where_it_is(uri):
    given = handed({**INPUT, "uri": uri})
    assert localize(given, "/") == {}
    assert given.inputs.artifacts["examples"].artifacts[0].uri == uri


TEXT = st.text("ab/", max_size=4)
VALUES = st.recursive(
    TEXT | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@drawn(VALUES)
def test_no_other_text_becomes_a_uri(value):
    assert remote_again(value, {"/gcs/b/model": "gs://b/model"}) == value


@drawn(st.lists(st.sampled_from(["/gcs/b/model", "/gcs/b/model_run"]), unique=True), TEXT)
def test_outputs_are_reported_by_the_uris_that_they_were_given(folders, inside):
    uris = {folder: folder.replace("/gcs/", "gs://") for folder in folders}
    content = {"artifacts": {f: {"uri": f, "metadata": {"where": f"{f}/{inside}"}} for f in uris}}
    remote = remote_again(content, uris)
    for folder, uri in uris.items():
        made = remote["artifacts"][folder]
        assert made == {"uri": uri, "metadata": {"where": f"{uri}/{inside}"}}
    assert json.dumps(remote)
