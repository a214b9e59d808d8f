import json

import pytest
from click.testing import CliRunner

from pipeline.cli.commands import submit_command
from pipeline.cli.main import main
from pipeline.cluster.submission import following, retries
from tests.pipeline.cluster_configuration import CLUSTER


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(following.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(retries, "_FIRST_PAUSE_SECONDS", 0.001)


@pytest.fixture
def submit(compiled_files, kubeflow_server):
    def submit(*arguments, command="submit", target="kubeflow"):
        words = [command, str(compiled_files[target]), "--target", target, "--name", "run-1"]
        host = ["--host", kubeflow_server.url] if target == "kubeflow" else []
        return CliRunner().invoke(main, [*words, *host, *arguments])

    return submit


def task(name, state, **more):
    return {"display_name": name, "state": state, **more}


def run(state, *tasks):
    return {"state": state, "run_details": {"task_details": list(tasks)}}


def test_a_run_is_submitted_with_its_parameters(submit, kubeflow_server):
    done = submit("--param", "epochs=2", "--param", "learning_rate=0.01", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["id"] == "r1"
    (sent,) = kubeflow_server.bodies("POST /apis/v2beta1/runs")
    assert sent["runtime_config"]["parameters"] == {"epochs": 2, "learning_rate": 0.01}


def test_what_pods_are_given_is_submitted_with_the_pipeline(tmp_path, kubeflow_server):
    file = tmp_path / "pipeline.yaml"
    chosen = (*CLUSTER, "cluster.resources={Trainer: {node_selector: {pool: gpu}}}")
    words = [word for each in chosen for word in ("--set", each)]
    for command in (
        ["compile", "--target", "kubeflow", "--out", str(file), *words],
        ["submit", str(file), "--target", "kubeflow", "--host", kubeflow_server.url],
    ):
        done = CliRunner().invoke(main, command)
        assert done.exit_code == 0, done.output
    (sent,) = kubeflow_server.bodies("POST /apis/v2beta1/runs")
    platform = sent["pipeline_spec"]["platform_spec"]["platforms"]["kubernetes"]
    pod = platform["deploymentSpec"]["executors"]["Trainer_executor"]
    assert pod == {"nodeSelector": {"labels": {"pool": "gpu"}}}
    assert "Trainer" in sent["pipeline_spec"]["pipeline_spec"]["root"]["dag"]["tasks"]


def test_a_run_that_succeeds_is_followed_to_its_end(submit, kubeflow_server):
    kubeflow_server.states = [
        run("RUNNING", task("Transform", "RUNNING")),
        run("SUCCEEDED", task("Transform", "SUCCEEDED")),
    ]
    done = submit("--wait")
    assert done.exit_code == 0, done.output
    assert "The run has succeeded." in done.output


def test_a_run_that_fails_in_its_third_task_is_reported_with_the_task(
    submit,
    kubeflow_server,
):
    kubeflow_server.states = [
        run("RUNNING", task("First", "SUCCEEDED"), task("Second", "RUNNING")),
        run(
            "FAILED",
            task("First", "SUCCEEDED"),
            task("Second", "SUCCEEDED"),
            task("Third", "FAILED", error={"message": "no GPU is left"}),
        ),
    ]
    done = submit("--wait")
    assert done.exit_code == 4
    assert "The run has failed. Third: no GPU is left" in done.output


def test_ctrl_c_leaves_the_run_in_the_cluster_and_says_so(
    submit,
    kubeflow_server,
    monkeypatch,
):
    def press(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(following.time, "sleep", press)
    kubeflow_server.states = [run("RUNNING", task("First", "RUNNING"))]
    done = submit("--wait")
    assert done.exit_code == 130
    assert done.output.endswith("Interrupted. The run continues in the cluster.\n")


def test_a_dry_run_sends_nothing(submit, kubeflow_server):
    done = submit("--param", "epochs=2", "--dry-run")
    assert json.loads(done.stdout)["parameters"] == {"epochs": 2}
    assert kubeflow_server.requests == []


def test_a_schedule(submit, kubeflow_server):
    done = submit("--cron", "0 3 * * 1", command="schedule")
    assert done.exit_code == 0, done.output
    assert "run-1 is scheduled" in done.output
    assert kubeflow_server.bodies("POST /apis/v2beta1/recurringruns")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--param", "epoch=2"], "no such parameter. Did you mean epochs? It has batch_size"),
        (["--param", "epochs=many"], "--param epochs: 'many' is not of type int."),
        (["--param", "epochs"], "--param takes NAME=VALUE"),
    ],
)
def test_a_wrong_option_is_reported(submit, arguments, text):
    done = submit(*arguments)
    assert done.exit_code
    assert text in done.output


def test_an_invalid_cron_is_reported(submit):
    done = submit("--cron", "weekly", command="schedule")
    assert done.exit_code == 1
    assert "--cron is 'weekly'; it takes minute, hour" in done.output


def test_a_file_of_the_other_target_is_reported(compiled_files):
    words = ["submit", str(compiled_files["vertex"]), "--target", "kubeflow", "--host", "http://x"]
    done = CliRunner().invoke(main, words)
    assert "is compiled for vertex. Compile it again" in done.output


def test_what_an_address_lacks_is_reported(compiled_files, monkeypatch):
    monkeypatch.delenv("KF_PIPELINES_ENDPOINT", raising=False)
    words = ["submit", str(compiled_files["kubeflow"]), "--target", "kubeflow"]
    assert "Give Kubeflow's address" in CliRunner().invoke(main, words).output
    words = ["submit", str(compiled_files["vertex"]), "--target", "vertex"]
    assert "Give Vertex AI's project" in CliRunner().invoke(main, words).output


def test_the_exit_codes_differ():
    assert submit_command._FAILED not in (0, 1, 2, 3)
