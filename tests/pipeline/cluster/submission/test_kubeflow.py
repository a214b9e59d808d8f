import ssl

import pytest
import yaml

from pipeline.cluster.submission.kubeflow import Kubeflow, Login
from pipeline.cluster.submission.submitted import Submission
from tests.pipeline.cluster.submission import loopback
from tests.pipeline.cluster.submission.loopback import BREAK
from tests.serving import certificates
from tests.serving.certificates import Authority
from transform_module.errors import UserError


@pytest.fixture
def given(compiled_files):
    return Submission(
        file=str(compiled_files["kubeflow"]),
        name="run-1",
        parameters={"epochs": 2, "learning_rate": 0.01},
        root="gs://bucket/other",
        service_account="trainer",
        experiment="chest",
    )


@pytest.fixture
def cluster(kubeflow_server):
    return Kubeflow(kubeflow_server.url)


def test_a_run_is_sent_with_the_whole_submission(cluster, kubeflow_server, given):
    run = cluster.submit(given)
    assert (run.id, run.link) == ("r1", f"{kubeflow_server.url}/#/runs/details/r1")
    (sent,) = kubeflow_server.bodies("POST /apis/v2beta1/runs")
    spec = sent.pop("pipeline_spec")
    assert sent == {
        "display_name": "run-1",
        "experiment_id": "e1",
        "service_account": "trainer",
        "runtime_config": {
            "parameters": {"epochs": 2, "learning_rate": 0.01},
            "pipeline_root": "gs://bucket/other",
        },
    }
    written = yaml.safe_load(open(given.file).read())  # noqa: SIM115
    assert spec["root"] == written["root"]
    (experiment,) = kubeflow_server.bodies("POST /apis/v2beta1/experiments")
    assert experiment["display_name"] == "chest"


def test_without_a_cache_every_task_is_computed(cluster, kubeflow_server, given):
    cluster.submit(Submission(given.file, "run-2", cache=False))
    (sent,) = kubeflow_server.bodies("POST /apis/v2beta1/runs")
    tasks = sent["pipeline_spec"]["root"]["dag"]["tasks"]
    assert not any(each["cachingOptions"].get("enableCache") for each in tasks.values())


def test_a_schedule_is_sent(cluster, kubeflow_server, given):
    made = cluster.schedule(given, "0 3 * * 1")
    assert made.id == "s1"
    (sent,) = kubeflow_server.bodies("POST /apis/v2beta1/recurringruns")
    assert sent["trigger"] == {"cron_schedule": {"cron": "0 0 3 * * 1"}}
    assert int(sent["max_concurrency"]) == 1
    assert sent["mode"] == "ENABLE"
    assert sent["runtime_config"]["parameters"]["epochs"] == 2


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (401, "responds 401: fault 401\nAuthentication is missing or invalid. Log in"),
        (403, "responds 403: fault 403\nPermission is missing"),
        (404, "responds 404: fault 404\nNot found"),
        (409, "responds 409: fault 409\nOne of that name is there already"),
    ],
)
def test_what_the_server_refuses_is_reported_and_not_tried_again(
    cluster, kubeflow_server, given, status, text
):
    kubeflow_server.faults["POST /apis/v2beta1/runs"] = [status]
    with pytest.raises(UserError) as error:
        cluster.submit(given)
    assert text in str(error.value)
    assert len(kubeflow_server.bodies("POST /apis/v2beta1/runs")) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_what_is_refused_for_now_is_tried_again(cluster, kubeflow_server, given, status):
    kubeflow_server.faults["POST /apis/v2beta1/runs"] = [status] * 2
    assert cluster.submit(given).id == "r1"
    assert len(kubeflow_server.bodies("POST /apis/v2beta1/runs")) == 3


def test_what_is_always_refused_for_now_is_reported(cluster, kubeflow_server, given):
    kubeflow_server.faults["POST /apis/v2beta1/runs"] = [503] * 9
    with pytest.raises(UserError, match="responds 503: fault 503\nIt is not available now"):
        cluster.submit(given)


def test_a_broken_connection_starts_no_second_run(cluster, kubeflow_server, given):
    kubeflow_server.faults["POST /apis/v2beta1/runs"] = [BREAK] * 9
    with pytest.raises(UserError, match="A run may have begun nevertheless"):
        cluster.submit(given)
    assert len(kubeflow_server.bodies("POST /apis/v2beta1/runs")) == 1


def test_a_look_survives_a_broken_connection(cluster, kubeflow_server):
    kubeflow_server.states = [{"state": "RUNNING"}]
    kubeflow_server.faults["GET /apis/v2beta1/runs"] = [BREAK, 503, 429]
    assert cluster.progress("r1").state == "running"


def test_a_server_that_is_not_there_is_reported(given):
    with pytest.raises(UserError, match="cannot be reached"):
        Kubeflow("http://127.0.0.1:9").submit(given)


def test_the_states_of_the_tasks_and_the_reason_of_a_failure_are_reported(cluster, kubeflow_server):
    kubeflow_server.states = [
        {
            "state": "FAILED",
            "error": {"code": 2, "message": "a task failed"},
            "run_details": {
                "task_details": [
                    {"display_name": "Transform", "state": "SUCCEEDED"},
                    {"display_name": "Trainer", "state": "FAILED", "error": {"message": "no GPU"}},
                ]
            },
        }
    ]
    progress = cluster.progress("r1")
    assert progress.state == "failed"
    assert progress.tasks == {"Transform": "succeeded", "Trainer": "failed"}
    assert progress.error == "Trainer: no GPU\na task failed"


@pytest.fixture
def written(tmp_path):
    def write(text):
        file = tmp_path / "login"
        file.write_text(text)
        return file

    return write


def test_a_token_is_sent_and_read_again_when_it_is_replaced(kubeflow_server, given, written):
    kubeflow_server.requires = ("Authorization", "Bearer first")
    cluster = Kubeflow(kubeflow_server.url, login=Login(token=written("first\n")))
    assert cluster.submit(given).id == "r1"
    written("second\n")
    kubeflow_server.requires = ("Authorization", "Bearer second")
    kubeflow_server.states = [{"state": "SUCCEEDED"}]
    assert cluster.progress("r1").state == "succeeded"


def test_the_cookie_of_a_login_is_sent(kubeflow_server, given, written):
    kubeflow_server.requires = ("Cookie", "authservice_session=abc")
    login = Login(cookies=written("authservice_session=abc\n"))
    assert Kubeflow(kubeflow_server.url, login=login).submit(given).id == "r1"


@pytest.mark.parametrize("text", [None, "authservice_session=old"])
def test_the_page_of_a_login_is_no_answer(kubeflow_server, given, written, text):
    kubeflow_server.requires = ("Cookie", "authservice_session=abc")
    login = Login(cookies=written(text)) if text else Login()
    with pytest.raises(UserError, match=r"a page in place of the API.*--cookie-file"):
        Kubeflow(kubeflow_server.url, login=login).submit(given)
    assert kubeflow_server.requests == []


@pytest.fixture
def encrypted(tmp_path, monkeypatch):
    """A server with a certificate of an authority that nobody else knows; and its file."""
    monkeypatch.setenv("HOME", str(tmp_path))
    authority = Authority()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates.write(tmp_path / "server", authority.sign("kubeflow")))
    file = tmp_path / "authority.pem"
    file.write_text(authority.certificate)
    with loopback.serving(loopback.kubeflow, context) as server:
        yield server, file


def test_a_server_of_ones_own_authority_is_trusted(encrypted, given):
    server, file = encrypted
    assert Kubeflow(server.url, login=Login(authorities=file)).submit(given).id == "r1"


def test_a_server_of_an_unknown_authority_is_not(encrypted, given):
    server, _ = encrypted
    with pytest.raises(UserError, match="cannot be reached"):
        Kubeflow(server.url).submit(given)
    assert server.requests == []


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("token", "", r"--token-file: .* has 0 lines of text; it must have one"),
        ("cookies", "a=b\nc=d", r"--cookie-file: .* has 2 lines of text"),
        ("cookies", None, r"--cookie-file: .* cannot be read"),
        ("authorities", "no certificate", r"--ca-cert: .* holds no certificates that can be read"),
        ("authorities", None, r"--ca-cert: .* holds no certificates that can be read"),
    ],
)
def test_a_file_that_is_no_login_is_reported(tmp_path, written, kind, text, message):
    file = tmp_path / "none" if text is None else written(text)
    with pytest.raises(UserError, match=message):
        Kubeflow("http://127.0.0.1:9", login=Login(**{kind: file}))
