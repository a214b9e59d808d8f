"""Tasks that would fail in a cluster: each is reported with the task, the field and what to do."""

import json
import sys

import pytest
import yaml
from google.protobuf import json_format

from pipeline.cluster.rehearsal import compiled
from pipeline.cluster.rehearsal.rehearse import Rehearsal
from tests.pipeline.cluster.rehearsal.tiny import FIRST, SECOND, pipeline, rehearsal
from transform_module.errors import UserError


@pytest.fixture
def source(tmp_path):
    """What the image holds: one room, of one module."""
    room = tmp_path / "source" / "components"
    room.mkdir(parents=True)
    (room / "__init__.py").touch()
    (room / "held.py").write_text("HELD = 1\n")
    return room.parent


@pytest.fixture
def run(tmp_path, source):
    def run(*scripts, text="hello", chosen=None, **options):
        content = pipeline(*scripts, text=text)
        return rehearsal(tmp_path, content, source, **options).run(chosen)

    return run


def metadata(done):
    (artifact,) = next(iter(done.artifacts.values()))
    return json_format.MessageToDict(artifact.metadata)


def added(output):
    """What Kubeflow's launcher adds to an output's metadata."""
    session = '{"Provider": "gs", "Params": {"fromEnv": "true"}}'
    return {"display_name": output, "store_session_info": session}


def test_tasks_run_in_order_and_get_what_was_made_with_its_metadata(run):
    first, second = run().done
    assert metadata(first) == {"number": 42, "said": "hello", **added("model")}
    assert metadata(second)["number"] == 42


def test_the_image_holds_the_users_own_function(tmp_path, source, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "rehearsed_pixels.py").write_text("NUMBER = 42\n")
    script = "import rehearsed_pixels\nfinish(model={'number': rehearsed_pixels.NUMBER})"
    settings = json.dumps({"settings": {"function": "rehearsed_pixels.prepare"}})
    made = json.dumps(pipeline(script, SECOND.replace('["name"]', '["type"]'), text=settings))
    renamed = made.replace('"first"', '"Transform"').replace('"text"', '"custom_config"')
    rehearsed = rehearsal(tmp_path, json.loads(renamed), source)
    first, _ = rehearsed.run().done
    assert metadata(first)["number"] == 42


def test_one_task_can_run_again_on_what_the_others_made(run):
    run()
    (only,) = run(chosen={"second"}).done
    assert only.task == "second"
    assert metadata(only)["number"] == 42


def test_a_task_alone_needs_a_rehearsal_of_the_others(run):
    with pytest.raises(UserError, match=r"first has not been rehearsed in .*; rehearse all"):
        run(chosen={"second"})


def test_a_task_that_fails_is_reported_with_its_error_and_its_log(run):
    with pytest.raises(
        UserError, match=r"first: it failed with exit code 1: ValueError: no\n.*/log"
    ):
        run("raise ValueError('no')")


def test_a_module_that_the_image_lacks_is_reported(run):
    with pytest.raises(
        UserError, match=r"first: .* ModuleNotFoundError: No module named 'serving'"
    ):
        run("import serving")


def test_a_module_that_the_image_holds_is_found(run):
    run("from components.held import HELD\n" + FIRST)


def test_a_variable_that_is_set_here_alone_is_not_there(run, monkeypatch):
    monkeypatch.setenv("ONLY_HERE", "1")
    with pytest.raises(UserError, match=r"first: .*KeyError: 'ONLY_HERE'"):
        run("os.environ['ONLY_HERE']")


def test_an_output_that_was_not_made_is_reported(run):
    with pytest.raises(UserError, match=r"first: outputs.artifacts.model is declared and was not"):
        run("finish()")


def test_a_task_that_says_nothing_is_reported(run):
    with pytest.raises(UserError, match=r"first: it ended well and wrote no outputs.outputFile"):
        run("pass")


def test_a_task_that_writes_nonsense_is_reported(run):
    with pytest.raises(UserError, match=r"first: its outputs.outputFile cannot be read"):
        run("pathlib.Path(outputs['outputFile']).write_text('{')")


def test_an_input_that_is_not_declared_is_reported_by_its_name(run):
    with pytest.raises(
        UserError, match=r"second reads examples, which its component does not decl"
    ):
        run(FIRST, "inputs['artifacts']['examples']")


def test_a_remote_place_without_a_local_one_is_reported(run):
    with pytest.raises(UserError, match=r"text has gs://far/away, .*--map gs://far/away=FOLDER"):
        run(text="gs://far/away")


def test_a_remote_place_is_replaced_by_what_means_it(run, tmp_path):
    first, _ = run(text="gs://far/away/x", places={"gs://far": str(tmp_path)}).done
    assert metadata(first)["said"] == f"{tmp_path}/away/x"


def test_a_path_of_this_machine_is_reported(run, tmp_path):
    with pytest.raises(UserError, match=r"first: inputs.parameters.text has .*, a path of this"):
        run(text=str(tmp_path))


def test_a_path_that_a_volume_of_the_cluster_has_is_accepted(tmp_path, source):
    file = tmp_path / "pipeline.yaml"
    pod = {"pvcMount": [{"constant": "c", "mountPath": str(tmp_path)}]}
    platform = {"kubernetes": {"deploymentSpec": {"executors": {"e1": pod}}}}
    content = [pipeline(text=f"{tmp_path}/examples"), {"platforms": platform}]
    (tmp_path / "examples").mkdir()
    file.write_text(yaml.safe_dump_all(content))
    run = Rehearsal(compiled.read(file), tmp_path / "rehearsal", source, {}, exact=True).run()
    assert metadata(run.done[0])["said"] == f"{tmp_path}/examples"


def test_the_address_of_a_server_is_no_place(run):
    first, _ = run(text='{"endpoint": "http://store:9000", "other": "https://store"}').done
    assert "http://store:9000" in metadata(first)["said"]


def test_a_placeholder_of_something_that_is_not_given_is_reported(tmp_path, source):
    content = pipeline()
    container = content["deploymentSpec"]["executors"]["e1"]["container"]
    container["args"].append("{{$.inputs.parameters['nothing']}}")
    with pytest.raises(UserError, match=r"first: its command has .*'nothing'.*, which the task is"):
        rehearsal(tmp_path, content, source).run()


def test_placeholders_are_resolved(tmp_path, source):
    script = "finish(model={'argv': sys.argv[2:]})"
    content = pipeline(script, "finish(report={})")
    container = content["deploymentSpec"]["executors"]["e1"]["container"]
    container["args"] += [
        "--text={{$.inputs.parameters['text']}}",
        "{{$.outputs.artifacts['model'].uri}}",
    ]
    container["env"] = [{"name": "SAID", "value": "x"}]
    first, _ = rehearsal(tmp_path, content, source).run().done
    text, uri = metadata(first)["argv"]["list"]
    assert text == "--text=hello"
    assert uri.startswith("gs://bucket/runs/tiny/")
    assert uri.endswith("/model")


def test_a_variable_of_the_specification_is_set(tmp_path, source):
    content = pipeline("finish(model={'said': os.environ['SAID']})", "finish(report={})")
    container = content["deploymentSpec"]["executors"]["e1"]["container"]
    container["env"] = [{"name": "SAID", "value": "x"}]
    first, _ = rehearsal(tmp_path, content, source).run().done
    assert metadata(first)["said"] == "x"


def handed_on(tmp_path, source, **changes):
    content = pipeline()
    container = content["deploymentSpec"]["executors"]["e1"]["container"]
    container["args"] += changes.get("args", [])
    parameters = content["components"]["first"]["inputDefinitions"]["parameters"]
    task = content["root"]["dag"]["tasks"]["first"]["inputs"]["parameters"]
    for name, value in changes.get("parameters", {}).items():
        parameters[name] = {"parameterType": "STRING"}
        task[name] = {"runtimeValue": {"constant": value}}
    return rehearsal(tmp_path, content, source)


@pytest.mark.parametrize(
    "changes",
    [
        {"args": ["--executor_class_path", "components.google_cloud.trainer_job.Executor"]},
        {"parameters": {"beam_args": "--runner=DataflowRunner --project=p"}},
    ],
)
def test_work_for_google_cloud_is_reported_and_not_tried(tmp_path, source, changes):
    with pytest.raises(UserError, match="first hands its work to Google Cloud"):
        handed_on(tmp_path, source, **changes).run()
