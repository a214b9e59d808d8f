import json
import re
import sys

import pytest
from tfx import types
from tfx.components.trainer.component import Trainer
from tfx.components.transform.component import Transform
from tfx.proto import trainer_pb2
from tfx.types import standard_artifacts

from components.pusher import Pusher
from pipeline.pipeline import UNCACHED
from pipeline.run.preflight.graph_check import check_graph
from tests.pipeline.wired import wire
from transform_module.errors import UserError


class Graph:
    """The wired pipeline, which a test may corrupt."""

    def __init__(self):
        self.components = wire().components

    def node(self, name):
        (found,) = (node for node in self.components if node.id == name)
        return found

    def set(self, name, **properties):
        self.node(name).exec_properties.update(properties)

    def problems(self, uncached=UNCACHED):
        with pytest.raises(UserError) as caught:
            check_graph(self, uncached)
        head, *problems = str(caught.value).splitlines()
        assert re.match(rf"The pipeline cannot run, {len(problems)} problems?:", head)
        return [problem.strip() for problem in problems]


@pytest.fixture
def graph():
    return Graph()


def test_the_wired_pipeline_is_sound(graph):
    check_graph(graph, UNCACHED)


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (
            "trainer_modul.trainer.run_fn",
            "which cannot be imported (ModuleNotFoundError: No module named 'trainer_modul').",
        ),
        (
            "trainer_module.run.run_fun",
            "and trainer_module.run has no function run_fun.",
        ),
        ("trainer_module.run.__doc__", "and trainer_module.run has no function __doc__."),
        ("run_fn", "which cannot be imported (ValueError: Empty module name)."),
    ],
)
def test_a_function_that_is_not_there_is_reported(graph, path, problem):
    graph.set("Trainer", run_fn=path)
    assert graph.problems() == [f"Trainer: run_fn is {path}, {problem}"]


def test_a_module_that_breaks_on_import_is_reported(graph, tmp_path, monkeypatch):
    (tmp_path / "broken_module_for_test.py").write_text("def preprocessing_fn(:")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    graph.set("Transform", preprocessing_fn="broken_module_for_test.preprocessing_fn")
    (problem,) = graph.problems()
    assert "Transform: preprocessing_fn is" in problem
    assert "SyntaxError" in problem


def test_a_module_file_is_refused(graph):
    graph.set("Trainer", module_file="trainer.py")
    (problem,) = graph.problems()
    assert problem.startswith("Trainer: module_file is trainer.py; name the function by an import")


@pytest.mark.parametrize("node", ["ExampleValidator", "Baseline", "Evaluator"])
def test_a_component_of_ours_without_a_hash_of_its_code_is_reported(graph, node):
    graph.set(node, code="")
    (problem,) = graph.problems()
    assert problem.startswith(f"{node}: it runs code of ours, and no hash of it")


@pytest.mark.parametrize("node", ["Transform", "Trainer"])
@pytest.mark.parametrize("config", [None, "null", "{}", '{"seed": 7}'])
def test_a_function_of_ours_without_a_hash_of_its_code_is_reported(graph, node, config):
    graph.set(node, custom_config=config)
    (problem,) = graph.problems()
    assert problem.startswith(f"{node}: it runs code of ours, and no hash of it")


def test_components_as_tfx_makes_them_without_a_custom_config_are_reported():
    examples, schema = (
        types.Channel(type=kind)
        for kind in (standard_artifacts.Examples, standard_artifacts.Schema)
    )
    graph = Graph()
    graph.components = [
        Transform(
            examples=examples,
            schema=schema,
            preprocessing_fn="transform_module.preprocessing.preprocessing_fn",
        ),
        Trainer(
            examples=examples,
            run_fn="trainer_module.run.run_fn",
            train_args=trainer_pb2.TrainArgs(),
            eval_args=trainer_pb2.EvalArgs(),
        ),
    ]
    assert [problem.split(":")[0] for problem in graph.problems()] == ["Transform", "Trainer"]


def test_what_is_never_cached_needs_no_hash(graph):
    (problem,) = graph.problems(uncached=())
    assert problem.startswith("Pusher: it runs code of ours")


@pytest.mark.parametrize(
    ("name", "maker"), [("model_blessing", "Evaluator"), ("infra_blessing", "ServingCheck")]
)
def test_a_push_without_a_blessing_is_refused(graph, name, maker):
    del graph.node("Pusher").inputs[name]
    (problem,) = graph.problems()
    assert problem == f"Pusher: it pushes without {name}; wire the {maker}'s."


def test_a_push_of_a_model_that_was_not_predicted_is_refused(graph):
    other = Pusher(
        model=graph.node("Baseline").outputs["model"],
        model_blessing=graph.node("Evaluator").outputs["blessing"],
        infra_blessing=graph.node("ServingCheck").outputs["blessing"],
        push_dir="p",
        model_name="m",
        configuration="{}",
    )
    graph.components[graph.components.index(graph.node("Pusher"))] = other
    assert list(graph.problems()) == [
        f"Pusher: it pushes the model of Baseline, and {predict} blesses another one; wire the "
        "same model to both."
        for predict in ("Evaluator", "ServingCheck")
    ]


def test_every_problem_is_reported_at_once(graph):
    graph.set("Trainer", run_fn="nowhere.run_fn", custom_config=json.dumps({"seed": 7}))
    graph.set("Baseline", code="")
    assert len(graph.problems()) == 3
