import json

import pytest
from google.cloud.aiplatform import initializer

from pipeline.cluster.submission.submitted import Submission
from pipeline.cluster.submission.vertex import Vertex
from tests.pipeline.cluster.submission.loopback import BREAK
from transform_module.errors import UserError

JOBS = "POST /v1/projects/p/locations/us-central1/pipelineJobs"
RUN = "projects/p/locations/us-central1/pipelineJobs/j1"


@pytest.fixture
def given(compiled_files):
    return Submission(
        file=str(compiled_files["vertex"]),
        name="run-1",
        parameters={"epochs": 2},
        root="gs://bucket/other",
        service_account="cxr@p.example",
        labels={"team": "lungs"},
        network="projects/1/global/networks/n",
    )


@pytest.fixture
def cluster(vertex_server):
    return Vertex("p", "us-central1", vertex_server.url)


def test_a_run_is_sent_with_the_whole_submission(cluster, vertex_server, given):
    run = cluster.submit(given)
    assert "/pipelineJobs/chest-xray-" in run.id
    assert run.link.startswith("https://console.cloud.google.com/vertex-ai/locations/us-central1")
    (sent,) = vertex_server.bodies(JOBS)
    assert sent["displayName"] == "run-1"
    assert sent["serviceAccount"] == "cxr@p.example"
    assert sent["network"] == "projects/1/global/networks/n"
    assert sent["labels"]["team"] == "lungs"
    config = sent["runtimeConfig"]
    assert config["gcsOutputDirectory"] == "gs://bucket/other"
    assert config["parameterValues"]["epochs"] == 2
    assert config["parameterValues"]["batch_size"] == 32
    written = json.loads(open(given.file).read())  # noqa: SIM115
    assert sent["pipelineSpec"]["deploymentSpec"] == written["pipelineSpec"]["deploymentSpec"]


def test_a_schedule_is_sent(cluster, vertex_server, given):
    made = cluster.schedule(given, "0 3 * * 1")
    assert made.id.endswith("/schedules/s1")
    (sent,) = vertex_server.bodies("POST /v1/projects/p/locations/us-central1/schedules")
    assert sent["cron"] == "0 3 * * 1"
    assert sent["displayName"] == "run-1"
    assert int(sent["maxConcurrentRunCount"]) == 1
    job = sent["createPipelineJobRequest"]["pipelineJob"]
    assert job["runtimeConfig"]["parameterValues"]["epochs"] == 2


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (
            401,
            "Authentication is missing or invalid. Log in: gcloud auth application-default login",
        ),
        (403, "Permission is missing"),
        (404, "Not found"),
        (409, "One of that name is there already"),
    ],
)
def test_what_the_server_refuses_is_reported_and_not_tried_again(
    cluster, vertex_server, given, status, text
):
    vertex_server.faults[JOBS] = [status] * 9
    with pytest.raises(UserError) as error:
        cluster.submit(given)
    assert f"responds {status}" in str(error.value)
    assert text in str(error.value)


@pytest.mark.parametrize("status", [429, 503])
def test_what_is_refused_for_now_is_tried_again(cluster, vertex_server, given, status):
    vertex_server.faults[JOBS] = [status] * 2
    assert cluster.submit(given).id
    assert len(vertex_server.bodies(JOBS)) == 3


def test_a_broken_connection_starts_no_second_run(cluster, vertex_server, given):
    vertex_server.faults[JOBS] = [BREAK] * 9
    with pytest.raises(UserError, match="A run may have begun nevertheless"):
        cluster.submit(given)
    assert len(vertex_server.bodies(JOBS)) == 1


def test_a_look_survives_a_broken_connection(cluster, vertex_server):
    vertex_server.states = [{"state": "PIPELINE_STATE_RUNNING"}]
    vertex_server.faults["GET /v1/projects"] = [BREAK, 503, 429]
    assert cluster.progress(RUN).state == "running"


def test_the_states_of_the_tasks_and_the_reason_of_a_failure_are_reported(cluster, vertex_server):
    vertex_server.states = [
        {
            "state": "PIPELINE_STATE_FAILED",
            "error": {"code": 9, "message": "a task failed"},
            "jobDetail": {
                "taskDetails": [
                    {"taskName": "Transform", "state": "SUCCEEDED"},
                    {"taskName": "Trainer", "state": "FAILED", "error": {"message": "no GPU"}},
                ]
            },
        }
    ]
    progress = cluster.progress(RUN)
    assert progress.state == "failed"
    assert progress.tasks == {"Transform": "succeeded", "Trainer": "failed"}
    assert progress.error == "Trainer: no GPU\na task failed"


def test_nobody_is_logged_in(monkeypatch, given, tmp_path, vertex_server):
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.setattr(initializer.global_config, "_credentials", None)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with pytest.raises(UserError, match=r"nobody is logged in\. Log in: gcloud auth"):
        Vertex("p", "us-central1", vertex_server.url).submit(given)
