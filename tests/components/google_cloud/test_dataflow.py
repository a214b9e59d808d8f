"""The job that Beam sends to Dataflow, received by a server of its own definitions."""

from concurrent.futures import ThreadPoolExecutor

import apache_beam as beam
import grpc
import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions
from apache_beam.runners.dataflow.internal import apiclient
from google.cloud import dataflow_v1beta3
from google.cloud.dataflow_v1beta3.services.jobs_v1_beta3.transports import (
    JobsV1Beta3GrpcTransport,
)

from components.google_cloud import dataflow
from components.google_cloud.settings import GoogleCloudSettings

PRIVATE = {
    "project": "project-1",
    "region": "europe-west4",
    "service_account": "cxr@project-1.example",
    "dataflow": {
        "machine": "n1-highmem-4",
        "max_workers": 7,
        "disk": 80,
        "subnetwork": "regions/europe-west4/subnetworks/inner",
        "public_addresses": False,
    },
}
IMAGE = "registry.example.com/cxr:1"
ROOT = "gs://bucket/cxr"


class Jobs(grpc.GenericRpcHandler):
    """The part of Dataflow's JobsV1Beta3 that is used."""

    def __init__(self):
        self.requests = []

    def service(self, call):
        assert call.method == "/google.dataflow.v1beta3.JobsV1Beta3/CreateJob"

        def response(request, _):
            self.requests.append(request)
            return dataflow_v1beta3.Job(id="job-1", client_request_id=request.job.client_request_id)

        return grpc.unary_unary_rpc_method_handler(
            response,
            request_deserializer=dataflow_v1beta3.CreateJobRequest.deserialize,
            response_serializer=dataflow_v1beta3.Job.serialize,
        )


@pytest.fixture
def staged(monkeypatch):
    """The files that were put beside the job."""
    found = []

    def stage(self, folder, name, stream, *_, **__):
        found.append(f"{folder}/{name}")

    monkeypatch.setattr(apiclient.DataflowApplicationClient, "stage_file", stage)
    return found


@pytest.fixture
def jobs(monkeypatch, staged):
    server, received = grpc.server(ThreadPoolExecutor(2)), Jobs()
    server.add_generic_rpc_handlers((received,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    client = dataflow_v1beta3.JobsV1Beta3Client

    def connected(*_, **__):
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        return client(transport=JobsV1Beta3GrpcTransport(channel=channel))

    monkeypatch.setattr(apiclient.dataflow, "JobsV1Beta3Client", connected)
    monkeypatch.setattr(apiclient, "get_service_credentials", lambda _: None)
    monkeypatch.setattr(apiclient, "create_storage_client", lambda *_: None)
    # Beam queries whether the bucket keeps what is deleted, and warns.
    monkeypatch.setattr(GoogleCloudOptions, "_warn_if_soft_delete_policy_enabled", lambda *_: None)
    yield received
    server.stop(0)


def send(settings):
    args = dataflow.beam_args(GoogleCloudSettings.model_validate(settings), IMAGE, ROOT)
    pipeline = beam.Pipeline(options=PipelineOptions(args))
    _ = pipeline | beam.Create([1]) | beam.Map(str)
    pipeline.run()


def test_the_job_is_the_one_that_was_chosen(jobs, staged):
    send(PRIVATE)
    (request,) = jobs.requests
    assert (request.project_id, request.location) == ("project-1", "europe-west4")
    environment = request.job.environment
    assert environment.service_account_email == "cxr@project-1.example"
    assert "/bucket/cxr/dataflow/temp/" in environment.temp_storage_prefix
    (pool,) = environment.worker_pools
    assert pool.machine_type == "n1-highmem-4"
    assert pool.disk_size_gb == 80
    assert pool.autoscaling_settings.max_num_workers == 7
    assert pool.subnetwork == "regions/europe-west4/subnetworks/inner"
    assert pool.ip_configuration == (
        dataflow_v1beta3.WorkerIPAddressConfiguration.WORKER_IP_PRIVATE
    )


def test_workers_run_the_image_and_install_nothing(jobs, staged):
    send({"project": "project-1", "dataflow": {}})
    (request,) = jobs.requests
    (pool,) = request.job.environment.worker_pools
    assert [each.container_image for each in pool.sdk_harness_container_images] == [IMAGE]
    assert staged
    assert not any(each.endswith((".whl", ".tar", ".tar.gz", "_packages.txt")) for each in staged)
