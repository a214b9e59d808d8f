"""The job that TFX sends to Vertex AI, received by a server of its own definitions."""

import json
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from google.cloud import aiplatform_v1
from google.cloud.aiplatform_v1.services.job_service.transports import JobServiceGrpcTransport
from tfx.extensions.google_cloud_ai_platform import runner, training_clients
from tfx.types import standard_artifacts
from tfx.utils import json_utils

from components.google_cloud import trainer_job
from components.google_cloud.settings import GoogleCloudSettings

SETTINGS = {
    "project": "project-1",
    "region": "europe-west4",
    "service_account": "cxr@project-1.example",
    "network": "projects/1/global/networks/inner",
    "trainer_job": {
        "machine": "n1-highmem-8",
        "accelerator": "NVIDIA_TESLA_V100",
        "accelerators": 4,
        "workers": 3,
    },
}
STATES = aiplatform_v1.JobState


class Jobs(grpc.GenericRpcHandler):
    """The part of Vertex AI's JobService that is used."""

    def __init__(self, *states):
        self.states = list(states)
        self.requests = []

    def service(self, call):
        name = call.method.removeprefix("/google.cloud.aiplatform.v1.JobService/")
        kinds = {
            "CreateCustomJob": aiplatform_v1.CreateCustomJobRequest,
            "GetCustomJob": aiplatform_v1.GetCustomJobRequest,
        }

        def response(request, _):
            self.requests.append(request)
            state = STATES.JOB_STATE_PENDING if name == "CreateCustomJob" else self.states.pop(0)
            return aiplatform_v1.CustomJob(name="projects/1/customJobs/7", state=state)

        return grpc.unary_unary_rpc_method_handler(
            response,
            request_deserializer=kinds[name].deserialize,
            response_serializer=aiplatform_v1.CustomJob.serialize,
        )


@pytest.fixture
def vertex(monkeypatch):
    """Starts a server whose jobs go through the states."""
    servers = []

    def start(*states):
        server = grpc.server(ThreadPoolExecutor(2))
        jobs = Jobs(*states)
        server.add_generic_rpc_handlers((jobs,))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        servers.append(server)
        client = training_clients.gapic.JobServiceClient

        def connected(client_options):
            jobs.address = client_options["api_endpoint"]
            channel = grpc.insecure_channel(f"127.0.0.1:{port}")
            return client(transport=JobServiceGrpcTransport(channel=channel))

        monkeypatch.setattr(training_clients.gapic, "JobServiceClient", connected)
        return jobs

    monkeypatch.setattr(runner, "_POLLING_INTERVAL_IN_SECONDS", 0.01)
    yield start
    for server in servers:
        server.stop(0)


def train(settings=SETTINGS):
    def artifact(kind, uri):
        made = kind()
        made.uri = uri
        return [made]

    config = trainer_job.custom_config(
        GoogleCloudSettings.model_validate(settings), "chest-xray", "registry.example/cxr:1"
    )
    executor = trainer_job.Executor()
    executor.Do(
        {"examples": artifact(standard_artifacts.Examples, "gs://bucket/examples")},
        {"model": artifact(standard_artifacts.Model, "gs://bucket/model")},
        {"epochs": 7, "custom_config": json_utils.dumps({"settings": {}, **config})},
    )


def test_the_job_is_the_one_that_was_chosen(vertex):
    jobs = vertex(STATES.JOB_STATE_RUNNING, STATES.JOB_STATE_SUCCEEDED)
    train()
    assert jobs.address == "europe-west4-aiplatform.googleapis.com"
    sent, *looks = jobs.requests
    assert [each.name for each in looks] == ["projects/1/customJobs/7"] * 2
    assert sent.parent == "projects/project-1/locations/europe-west4"
    assert sent.custom_job.display_name == "chest-xray"
    job = sent.custom_job.job_spec
    assert job.service_account == "cxr@project-1.example"
    assert job.network == "projects/1/global/networks/inner"
    assert [pool.replica_count for pool in job.worker_pool_specs] == [1, 2]
    for pool in job.worker_pool_specs:
        assert pool.machine_spec.machine_type == "n1-highmem-8"
        kinds = aiplatform_v1.AcceleratorType
        assert pool.machine_spec.accelerator_type == kinds.NVIDIA_TESLA_V100
        assert pool.machine_spec.accelerator_count == 4
        assert pool.container_spec.image_uri == "registry.example/cxr:1"


def test_each_worker_runs_what_the_task_would_have_run(vertex):
    jobs = vertex(STATES.JOB_STATE_SUCCEEDED)
    train()
    for pool in jobs.requests[0].custom_job.job_spec.worker_pool_specs:
        words = list(pool.container_spec.command)
        assert words[:3] == ["python", "-m", "tfx.scripts.run_executor"]
        record = dict(zip(words[3::2], words[4::2], strict=True))
        assert record["--executor_class_path"] == "components.trainer.Executor"
        assert json.loads(record["--exec-properties"])["epochs"] == 7
        (model,) = json.loads(record["--outputs"])["model"]
        assert model["artifact"]["uri"] == "gs://bucket/model"


def test_a_tpu_has_a_topology_and_one_pool(vertex):
    jobs = vertex(STATES.JOB_STATE_SUCCEEDED)
    job = {"machine": "ct5lp-hightpu-4t", "tpu_topology": "2x2"}
    train({"project": "project-1", "trainer_job": job})
    (pool,) = jobs.requests[0].custom_job.job_spec.worker_pool_specs
    assert pool.machine_spec.machine_type == "ct5lp-hightpu-4t"
    assert pool.machine_spec.tpu_topology == "2x2"
    assert not pool.machine_spec.accelerator_count


@pytest.mark.parametrize("state", [STATES.JOB_STATE_FAILED, STATES.JOB_STATE_CANCELLED])
def test_a_job_that_fails_fails_the_task(vertex, state):
    vertex(STATES.JOB_STATE_RUNNING, state)
    with pytest.raises(RuntimeError, match="customJobs/7"):
        train()
