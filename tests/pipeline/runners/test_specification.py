import json

import pytest
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.runners import kubeflow, specification, vertex
from tests.pipeline.cluster import configured
from tests.pipeline.command import COMPONENTS

RESOURCES = (
    'cluster.resources={"Trainer": {"cpu": 8, "memory": 32, "accelerator": "nvidia.com/gpu", '
    '"accelerators": 2, "retries": 3}}'
)


@pytest.fixture(scope="module")
def job():
    return specification.specify(configured(RESOURCES))


@pytest.fixture(scope="module")
def spec(job):
    return job["pipelineSpec"]


def test_every_component_is_a_task_in_a_container(spec):
    assert set(spec["root"]["dag"]["tasks"]) == COMPONENTS
    executors = spec["deploymentSpec"]["executors"]
    assert [list(each) for each in executors.values()] == [["container"]] * len(COMPONENTS)
    assert {each["container"]["image"] for each in executors.values()} == {
        "registry.example/cxr:1.2"
    }


def test_what_is_open_until_the_run_has_its_default(spec):
    parameters = spec["root"]["inputDefinitions"]["parameters"]
    assert {name: each["defaultValue"] for name, each in parameters.items()} == {
        "examples": "gs://bucket/examples",
        "dataset_fingerprint": "",
        "push_dir": "gs://bucket/cxr/pushed",
        "epochs": 25,
        "batch_size": 32,
        "learning_rate": 0.0003,
    }
    assert {each["parameterType"] for each in parameters.values()} == {
        "STRING",
        "NUMBER_INTEGER",
        "NUMBER_DOUBLE",
    }


def test_the_trainer_reads_the_parameters(spec):
    given = spec["root"]["dag"]["tasks"]["Trainer"]["inputs"]["parameters"]
    for name in ("epochs", "batch_size", "learning_rate", "dataset_fingerprint"):
        assert given[name] == {"componentInputParameter": name}
    assert '"epochs"' not in given["custom_config"]["runtimeValue"]["constant"]


def test_what_reads_the_push_folder_is_never_taken_from_the_cache(spec):
    tasks = spec["root"]["dag"]["tasks"]
    cached = {name for name, task in tasks.items() if task["cachingOptions"].get("enableCache")}
    assert cached == COMPONENTS - {"Baseline", "Pusher"}


def test_a_component_gets_what_it_was_given(spec):
    resources = spec["deploymentSpec"]["executors"]["Trainer_executor"]["container"]["resources"]
    assert resources == {
        "cpuLimit": 8.0,
        "memoryLimit": 32.0,
        "accelerator": {"type": "nvidia.com/gpu", "count": "2"},
    }
    assert spec["root"]["dag"]["tasks"]["Trainer"]["retryPolicy"] == {"maxRetryCount": 3}


def test_the_specification_is_kubeflows_own(job):
    content = yaml.safe_load(kubeflow.render(job))
    parsed = json_format.ParseDict(content, pipeline_spec_pb2.PipelineSpec())
    assert parsed.default_pipeline_root == "gs://bucket/cxr"
    assert parsed.pipeline_info.name == "chest-xray"


def test_kfp_loads_the_file(job, tmp_path):
    from kfp import components

    file = tmp_path / "pipeline.yaml"
    file.write_text(kubeflow.render(job))
    loaded = components.load_component_from_file(str(file))
    assert set(loaded.component_spec.inputs) >= {"epochs", "examples"}


def test_the_job_is_vertexs_own(job, tmp_path):
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import aiplatform

    file = tmp_path / "job.json"
    file.write_text(vertex.render(job))
    content = json.loads(file.read_text())
    json_format.ParseDict(content, pipeline_spec_pb2.PipelineJob())
    loaded = aiplatform.PipelineJob(
        display_name="d",
        template_path=str(file),
        project="p",
        location="us-central1",
        credentials=AnonymousCredentials(),
    )
    assert loaded.pipeline_spec["pipelineInfo"]["name"] == "chest-xray"
    assert content["runtimeConfig"]["parameterValues"]["epochs"] == 25


def test_the_same_configuration_makes_the_same_bytes(job):
    again = specification.specify(configured(RESOURCES))
    assert kubeflow.render(again) == kubeflow.render(job)
    assert vertex.render(again) == vertex.render(job)
