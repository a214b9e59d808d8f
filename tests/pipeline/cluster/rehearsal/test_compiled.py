"""Corrupted specifications: each is reported with its task, its field and what to do."""

import json

import pytest
import yaml

from pipeline.cluster.rehearsal import compiled
from pipeline.runners import kubeflow, specification, vertex
from tests.pipeline.cluster_configuration import configured
from transform_module.errors import UserError


@pytest.fixture(scope="module")
def job():
    return specification.specify(configured())


@pytest.fixture
def corrupted(job, tmp_path):
    """Reads the specification after an edit; returns what is wrong with it."""

    def read(edit):
        content = yaml.safe_load(kubeflow.render(job, configured().cluster))
        edit(content)
        file = tmp_path / "pipeline.yaml"
        file.write_text(yaml.safe_dump(content))
        return list(compiled.problems(compiled.read(file)))

    return read


def task(content, name):
    return content["root"]["dag"]["tasks"][name]


def container(content, name):
    return content["deploymentSpec"]["executors"][f"{name}_executor"]["container"]


def test_what_was_compiled_is_whole_in_both_forms(job, tmp_path):
    for name, text in (
        ("k.yaml", kubeflow.render(job, configured().cluster)),
        ("v.json", vertex.render(job)),
    ):
        file = tmp_path / name
        file.write_text(text)
        read = compiled.read(file)
        assert list(compiled.problems(read)) == []
        assert read.root == "gs://bucket/cxr"
        assert read.parameters["epochs"] == 25
        assert read.after("Evaluator") == {"ServingCheck", "Pusher", "Report"}


def no_component(content):
    task(content, "Trainer")["componentRef"]["name"] = "Trainr"


def no_executor(content):
    del content["deploymentSpec"]["executors"]["Trainer_executor"]


def a_resolver(content):
    content["deploymentSpec"]["executors"]["Baseline_executor"] = {"resolver": {}}


def no_image(content):
    container(content, "Trainer")["image"] = ""


def an_unknown_producer(content):
    task(content, "Trainer")["inputs"]["artifacts"]["examples"]["taskOutputArtifact"][
        "producerTask"
    ] = "Transfrom"


def an_unknown_output(content):
    task(content, "Trainer")["inputs"]["artifacts"]["examples"]["taskOutputArtifact"][
        "outputArtifactKey"
    ] = "examples"


def another_type(content):
    source = task(content, "Trainer")["inputs"]["artifacts"]["examples"]["taskOutputArtifact"]
    source["outputArtifactKey"] = "transform_graph"


def an_input_that_is_not_wired(content):
    del task(content, "Evaluator")["inputs"]["artifacts"]["baseline_model"]


def an_input_that_is_not_declared(content):
    del content["components"]["Evaluator"]["inputDefinitions"]["artifacts"]["baseline_model"]


def a_parameter_without_a_value(content):
    del content["root"]["inputDefinitions"]["parameters"]["epochs"]["defaultValue"]


def a_parameter_of_another_type(content):
    content["root"]["inputDefinitions"]["parameters"]["epochs"]["defaultValue"] = "many"


def a_parameter_that_is_not_declared(content):
    del content["components"]["Trainer"]["inputDefinitions"]["parameters"]["epochs"]


def a_circle(content):
    task(content, "SchemaGen")["dependentTasks"].append("Trainer")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (no_component, "Trainer: componentRef names 'Trainr', which is not among"),
        (no_executor, "Trainer: executorLabel names 'Trainer_executor', which is not among"),
        (a_resolver, "Baseline: its executor is resolver, not a container"),
        (no_image, "Trainer: container.image is empty; set cluster.image"),
        (an_unknown_producer, "Trainer: it waits for 'Transfrom', which is not a task"),
        (an_unknown_output, "comes from Transform.examples; that task makes transform_graph"),
        (another_type, "declared as tfx.Examples, and Transform makes tfx.TransformGraph"),
        (an_input_that_is_not_wired, "Evaluator: inputs.artifacts.baseline_model is declared and"),
        (an_input_that_is_not_declared, "inputs.artifacts.baseline_model is given and not"),
        (a_parameter_without_a_value, "Trainer: inputs.parameters.epochs has no value"),
        (a_parameter_of_another_type, "epochs is declared as NUMBER_INTEGER, and its value is"),
        (a_parameter_that_is_not_declared, "inputs.parameters.epochs is given and not declared"),
        (a_circle, "dependentTasks go round in a circle"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_corrupted_specification_is_reported(corrupted, edit, message):
    found = corrupted(edit)
    assert [each for each in found if message in each], found


PODS = "cluster.resources={default: {pull_secrets: [registry]}}"


@pytest.fixture
def with_pods(tmp_path):
    """Reads a file of two documents after an edit of the second; returns it."""

    def read(edit=lambda executors: None):
        config = configured(PODS)
        text = kubeflow.render(specification.specify(config), config.cluster)
        first, second = yaml.safe_load_all(text)
        edit(second["platforms"]["kubernetes"]["deploymentSpec"]["executors"])
        file = tmp_path / "pipeline.yaml"
        file.write_text(yaml.safe_dump_all([first, second]))
        return compiled.read(file)

    return read


def test_what_pods_are_given_is_read(with_pods):
    read = with_pods()
    assert list(compiled.problems(read)) == []
    assert len(read.pods) == len(read.tasks)
    (secret,) = read.pods["Trainer_executor"]["imagePullSecret"]
    assert secret["secretName"] == "registry"


def a_pod_of_no_task(executors):
    executors["Trainr_executor"] = executors.pop("Trainer_executor")


def an_unknown_field(executors):
    executors["Trainer_executor"]["tolerances"] = []


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (a_pod_of_no_task, "executors.Trainr_executor describes the pod of an executor that no"),
        (an_unknown_field, "executors.Trainer_executor is not what Kubeflow reads"),
    ],
)
def test_a_pod_that_kubeflow_does_not_read_is_reported(with_pods, edit, message):
    (problem,) = compiled.problems(with_pods(edit))
    assert message in problem


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a compiled pipeline"),
        ("{}\n---\n{}\n---\n{}", "is not a compiled pipeline"),
        ("a: [", "cannot be read"),
        ("[]", "is not a compiled pipeline"),
        ("{}", "has no task"),
        (json.dumps({"root": {"nonsense": 1}}), "is not a pipeline's specification"),
    ],
)
def test_a_file_that_is_not_a_pipeline_is_reported(tmp_path, text, message):
    file = tmp_path / "pipeline.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=message):
        compiled.read(file)


def test_a_file_that_is_not_there_is_reported(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        compiled.read(tmp_path / "nowhere.yaml")
