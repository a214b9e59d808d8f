import json

import pytest
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.runners import kubeflow, specification, vertex
from tests.pipeline.cluster_configuration import configured
from tests.pipeline.command import COMPONENTS
from tests.pipeline.runners import snapshots

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
        "beam_args": "--runner=serving.beam.disk_runner.DiskRunner --direct_running_mode=in_memory "
        "--direct_num_workers=1 --sdk_container_image=none",
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


BEAM_TASKS = {"ImportExampleGen", "StatisticsGen", "Transform", "Evaluator"}


def test_beams_steps_read_their_arguments_from_a_parameter(spec):
    tasks = spec["root"]["dag"]["tasks"]
    given = {name for name, task in tasks.items() if "beam_args" in task["inputs"]["parameters"]}
    assert given >= BEAM_TASKS
    for name in given:
        container = spec["deploymentSpec"]["executors"][f"{name}_executor"]["container"]
        assert container["command"] == ["python", "-m", "components.task"]
        assert not any("runner" in word for word in container["args"])
        record = container["args"][
            container["args"].index("--json_serialized_inputs_spec_args") + 1
        ]
        declared = spec["components"][name]["inputDefinitions"]
        assert json.loads(record) == declared
        assert declared["parameters"]["beam_args"] == {"parameterType": "STRING"}


def test_google_cloud_trains_computes_and_serves_where_it_is_configured():
    services = {
        "project": "project-1",
        "trainer_job": {"accelerator": "NVIDIA_TESLA_T4"},
        "dataflow": {"max_workers": 3},
        "endpoint": {"traffic": 20},
    }
    chosen = configured(f"cluster.google_cloud={json.dumps(services)}")
    spec = specification.specify(chosen)["pipelineSpec"]
    trainer = spec["deploymentSpec"]["executors"]["Trainer_executor"]["container"]
    assert "components.google_cloud.trainer_job.Executor" in trainer["args"]
    record = spec["root"]["dag"]["tasks"]["Trainer"]["inputs"]["parameters"]["custom_config"]
    assert "NVIDIA_TESLA_T4" in record["runtimeValue"]["constant"]
    beam_args = spec["root"]["inputDefinitions"]["parameters"]["beam_args"]["defaultValue"]
    assert "--runner=DataflowRunner" in beam_args
    assert "--max_num_workers=3" in beam_args
    assert "DiskRunner" not in beam_args
    endpoint = spec["root"]["dag"]["tasks"]["Endpoint"]
    assert endpoint["inputs"]["artifacts"]["pushed_model"] == {
        "taskOutputArtifact": {"outputArtifactKey": "pushed_model", "producerTask": "Pusher"}
    }
    json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())


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


@pytest.mark.parametrize("target", ["kubeflow", "vertex"])
def test_every_component_gets_the_default_and_importexamplegen_its_own(target):
    config = configured(
        "cluster.resources={default: {cpu: 1, memory_request: 2, environment: {A: b}},"
        " ImportExampleGen: {cpu: 3, memory: 4, cpu_request: 0.5}}"
    )
    job = specification.specify(config)
    if target == "kubeflow":
        content = yaml.safe_load(kubeflow.render(job, config.cluster))
    else:
        content = json.loads(vertex.render(job))["pipelineSpec"]
    deployment = json_format.ParseDict(
        content["deploymentSpec"], pipeline_spec_pb2.PipelineDeploymentConfig()
    )
    assert len(deployment.executors) == len(COMPONENTS)
    for label, executor in deployment.executors.items():
        resources = executor.container.resources
        is_first = label == "ImportExampleGen_executor"
        assert resources.cpu_limit == (3 if is_first else 1)
        assert resources.memory_limit == (4 if is_first else 0)
        assert resources.cpu_request == (0.5 if is_first else 0)
        assert resources.memory_request == 2
        assert [(each.name, each.value) for each in executor.container.env] == [("A", "b")]


def test_a_task_is_tried_again_later_and_later_for_a_week(spec):
    tasks = json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec()).root.dag.tasks
    policy = tasks["Trainer"].retry_policy
    assert policy.max_retry_count == 3
    assert policy.backoff_duration.seconds == 60
    assert policy.backoff_factor == 2
    assert policy.backoff_max_duration.seconds == 7 * 24 * 3600
    assert not tasks["Pusher"].HasField("retry_policy")


def test_the_specification_is_kubeflows_own(job):
    content = yaml.safe_load(kubeflow.render(job, configured().cluster))
    parsed = json_format.ParseDict(content, pipeline_spec_pb2.PipelineSpec())
    assert parsed.default_pipeline_root == "gs://bucket/cxr"
    assert parsed.pipeline_info.name == "chest-xray"


def test_kfp_loads_the_file(job, tmp_path):
    from kfp import components

    file = tmp_path / "pipeline.yaml"
    file.write_text(kubeflow.render(job, configured().cluster))
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
    assert kubeflow.render(again, configured().cluster) == kubeflow.render(
        job, configured().cluster
    )
    assert vertex.render(again) == vertex.render(job)


@pytest.mark.parametrize("name", ["kubeflow.yaml", "vertex.diff"])
def test_the_files_are_those_that_were_reviewed(name):
    made = snapshots.made()[name]
    reviewed = (snapshots.FOLDER / name).read_text()
    assert made == reviewed, "if it is meant: python -m tests.pipeline.runners.snapshots"


@pytest.mark.parametrize("fingerprint", ["", "f" * 64])
def test_kubeflow_takes_the_data_from_the_cache_by_its_fingerprint(fingerprint):
    config = configured(f"cluster.dataset_fingerprint={json.dumps(fingerprint)}")
    job = specification.specify(config)
    content = yaml.safe_load(kubeflow.render(job, config.cluster))
    executors = content["deploymentSpec"]["executors"].values()
    assert not any("lifecycle" in each["container"] for each in executors)
    task = content["root"]["dag"]["tasks"]["ImportExampleGen"]
    assert task["cachingOptions"] == ({"enableCache": True} if fingerprint else {})
    parameter = {"componentInputParameter": "dataset_fingerprint"}
    assert task["inputs"]["parameters"]["dataset_fingerprint"] == parameter
    defined = content["root"]["inputDefinitions"]["parameters"]["dataset_fingerprint"]
    assert defined["defaultValue"] == fingerprint
    vertexs = json.loads(vertex.render(job))["pipelineSpec"]
    executor = vertexs["deploymentSpec"]["executors"]["ImportExampleGen_executor"]
    assert "preCacheCheck" in executor["container"]["lifecycle"]
