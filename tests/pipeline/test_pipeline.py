import json
import re

import pytest
from tfx.proto import example_gen_pb2
from tfx.utils import proto_utils

from components.code_version import code_version
from components.evaluator.settings import EvaluationSettings
from pipeline.config.config_file import load
from pipeline.pipeline import UNCACHED
from serving.beam.beam_args import SDK_HERE, flink_args
from serving.tensorflow_serving.settings import VERSION
from tests.pipeline.command import COMPONENTS
from tests.pipeline.wired import wire
from transform_module.contract import SPLITS


def properties(pipeline, node):
    (found,) = (each for each in pipeline.components if each.id == node)
    return found.exec_properties


def config_of(pipeline, node):
    return json.loads(properties(pipeline, node)["custom_config"])


@pytest.fixture(scope="module")
def pipeline():
    return wire()


@pytest.fixture(scope="module")
def wires(pipeline):
    """For each node, from which output of which node each input comes."""
    return {
        node.id: {
            name: f"{channel.producer_component_id}.{channel.output_key}"
            for name, channel in node.inputs.items()
        }
        for node in pipeline.components
    }


def test_the_nodes_have_the_names_that_people_read(pipeline):
    assert {node.id for node in pipeline.components} == COMPONENTS


def test_every_input_comes_from_where_it_should(wires):
    examples = "ImportExampleGen.examples"
    statistics, schema = "StatisticsGen.statistics", "SchemaGen.schema"
    assert wires == {
        "ImportExampleGen": {},
        "StatisticsGen": {"examples": examples},
        "SchemaGen": {"statistics": statistics},
        "ExampleValidator": {"statistics": statistics, "schema": schema},
        "Transform": {"examples": examples, "schema": schema},
        "Trainer": {
            "examples": "Transform.transformed_examples",
            "transform_graph": "Transform.transform_graph",
            "source": examples,
        },
        "Baseline": {"trained": "Trainer.model"},
        "Evaluator": {
            "examples": examples,
            "model": "Trainer.model",
            "baseline_model": "Baseline.model",
        },
        "ServingCheck": {
            "model": "Trainer.model",
            "examples": examples,
            "evaluation": "Evaluator.evaluation",
        },
        "Pusher": {
            "model": "Trainer.model",
            "model_blessing": "Evaluator.blessing",
            "infra_blessing": "ServingCheck.blessing",
        },
        "Report": {
            "examples": examples,
            "model": "Trainer.model",
            "model_run": "Trainer.model_run",
            "evaluation": "Evaluator.evaluation",
            "infra_blessing": "ServingCheck.blessing",
        },
    }


@pytest.fixture(scope="module")
def tuned():
    return wire("tuner.enabled=true", "tuner.trials=3")


def test_a_tuner_is_between_transform_and_trainer_where_there_is_one(pipeline, tuned):
    nodes = {node.id: node for node in tuned.components}
    assert set(nodes) == COMPONENTS | {"Tuner"}
    for name in ("examples", "transform_graph"):
        assert nodes["Tuner"].inputs[name].producer_component_id == "Transform"
    found = nodes["Trainer"].inputs["hyperparameters"]
    assert (found.producer_component_id, found.output_key) == ("Tuner", "best_hyperparameters")
    for node in pipeline.components:
        changes = {"Trainer": {"custom_config"}, "Pusher": {"configuration"}}
        other = properties(tuned, node.id)
        assert {name for name in other if other[name] != node.exec_properties[name]} == (
            changes.get(node.id, set())
        )


def test_the_search_is_part_of_what_trainer_and_tuner_are_given(tuned):
    search = load(None, ["tuner.enabled=true", "tuner.trials=3"]).tuner.model_dump(mode="json")
    assert config_of(tuned, "Trainer")["tuner"] == config_of(tuned, "Tuner")["tuner"] == search
    assert properties(tuned, "Tuner")["tuner_fn"] == "trainer_module.search.tuner_fn.tuner_fn"


@pytest.mark.parametrize(
    "override",
    [
        "trainer.folds=3",
        "trainer.epochs=3",
        "trainer.operating_point.sensitivity=0.9",
        "trainer.calibration=none",
        "evaluation.minimum_auc=0.1",
    ],
)
def test_what_changes_no_score_leaves_a_search_in_the_cache(tuned, override):
    other = wire("tuner.enabled=true", "tuner.trials=3", override)
    assert properties(other, "Tuner") == properties(tuned, "Tuner")


@pytest.mark.parametrize(
    "override", ["tuner.folds=2", "seed=8", "trainer.model=compact", "trainer.decay=cosine"]
)
def test_what_changes_a_score_begins_another_search(tuned, override):
    other = wire("tuner.enabled=true", "tuner.trials=3", override)
    assert properties(other, "Tuner") != properties(tuned, "Tuner")


def test_nothing_is_transformed_before_the_examples_are_validated(pipeline):
    (transform,) = (node for node in pipeline.components if node.id == "Transform")
    assert "ExampleValidator" in [node.id for node in transform.upstream_nodes]


def test_the_report_comes_after_the_push_and_nothing_waits_for_it(pipeline):
    (report,) = (node for node in pipeline.components if node.id == "Report")
    assert "Pusher" in [node.id for node in report.upstream_nodes]
    assert not report.downstream_nodes


def test_the_report_is_given_whose_images_they_are(pipeline):
    assert properties(pipeline, "Report")["source"] == ""
    assert properties(wire(synthetic=True), "Report")["source"] == "synthetic"
    named = wire("report.dataset=kermany-2018", synthetic=True)
    assert properties(named, "Report")["source"] == "kermany-2018"


def test_the_splits_are_read_as_the_conversion_wrote_them(pipeline):
    read = example_gen_pb2.Input()
    generated = properties(pipeline, "ImportExampleGen")
    proto_utils.json_to_proto(generated["input_config"], read)
    assert {split.name: split.pattern for split in read.splits} == {
        split: f"{split}/*" for split in SPLITS
    }
    assert generated["input_base"] == "/place/dataset"


def test_only_the_train_split_is_analyzed_and_the_test_split_stays_out_of_the_training(pipeline):
    splits = json.loads(properties(pipeline, "Transform")["splits_config"])
    assert splits == {"analyze": ["train"], "transform": ["train", "eval"]}
    trainer = properties(pipeline, "Trainer")
    assert json.loads(trainer["train_args"])["splits"] == ["train"]
    assert json.loads(trainer["eval_args"])["splits"] == ["eval"]


def test_the_functions_are_named_by_importable_paths(pipeline):
    transform, trainer = properties(pipeline, "Transform"), properties(pipeline, "Trainer")
    assert transform["preprocessing_fn"] == "transform_module.preprocessing.preprocessing_fn"
    assert trainer["run_fn"] == "trainer_module.run.run_fn"
    assert not transform.get("module_file")
    assert not trainer.get("module_file")


def test_the_trainer_is_given_all_that_its_result_depends_on():
    pipeline = wire("trainer.cnn.kernel_size=5", "seed=8")
    settings = load(None, ["trainer.cnn.kernel_size=5"]).trainer.model_dump(mode="json")
    parameters = {"epochs": 3, "batch_size": 16, "learning_rate": 0.01}
    assert parameters.items() <= properties(pipeline, "Trainer").items()
    assert properties(pipeline, "Trainer")["dataset_fingerprint"] == "f1"
    assert config_of(pipeline, "Trainer") == {
        "settings": {name: value for name, value in settings.items() if name not in parameters},
        "transform": {"size": 160, "resize": "squash", "contrast": "none", "function": None},
        "seed": 8,
        "code_version": code_version(
            "components.trainer", "trainer_module.run", "trainer_module.models.cnn"
        ),
        "checkpoint_dir": "/place/checkpoints",
    }


def test_other_weights_under_the_same_path_train_anew(tmp_path):
    weights = tmp_path / "weights.h5"
    given = (
        *("trainer.model=transfer", f"trainer.transfer.weights={weights}"),
        "tuner.enabled=true",
    )
    weights.write_bytes(b"one")
    before = wire(*given)
    weights.write_bytes(b"other")
    after = wire(*given)
    for node in ("Trainer", "Tuner"):
        assert config_of(before, node)["code_version"] != config_of(after, node)["code_version"]


def test_transform_is_given_what_the_pixels_are_made_with():
    pipeline = wire("transform.size=96", "transform.resize=pad", "transform.contrast=equalize")
    settings = {"size": 96, "resize": "pad", "contrast": "equalize", "function": None}
    assert config_of(pipeline, "Transform")["settings"] == settings
    assert config_of(pipeline, "Trainer")["transform"] == settings


def test_a_profile_changes_what_the_trainer_is_given_and_nothing_else(pipeline):
    profiled = wire(profile=True)
    record = config_of(profiled, "Trainer")
    assert record == {**config_of(pipeline, "Trainer"), "profile": True}
    for node in pipeline.components:
        changes = {"custom_config"} if node.id == "Trainer" else set()
        other = properties(profiled, node.id)
        assert {name for name in other if other[name] != node.exec_properties[name]} == changes


def hashes(pipeline):
    """The hash of the code that each node runs, where it runs code of ours."""
    found = {}
    for node in pipeline.components:
        config = json.loads(node.exec_properties.get("custom_config") or "null") or {}
        value = node.exec_properties.get("code") or config.get("code_version")
        if value:
            found[node.id] = value
    return found


def test_an_edit_of_the_users_function_reruns_transform_and_what_makes_a_model(
    tmp_path, monkeypatch
):
    # By names that no other test has imported.
    monkeypatch.syspath_prepend(tmp_path)
    given = ("tuner.enabled=true", "tuner.trials=3", "transform.function=edited_pixels.prepare")
    for name, content in {"edited_pixels": "import edited_filters\n", "edited_filters": ""}.items():
        (tmp_path / f"{name}.py").write_text(content)
    before = hashes(wire(*given))
    (tmp_path / "edited_filters.py").write_text("# edited\n")
    after = hashes(wire(*given))
    changed = {node for node, value in before.items() if after[node] != value}
    assert changed == {"Transform", "Trainer", "Tuner"}


def test_a_component_of_ours_is_found_by_its_id(tuned):
    for node in tuned.components:
        module = node.executor_spec.executor_class.__module__
        if module.split(".")[0] == "components":
            name = re.sub(r"(?<!^)(?=[A-Z])", "_", node.id).lower()
            assert name in module.split("."), module


def test_the_bounds_of_a_blessing_reach_the_evaluator():
    settings = properties(wire("evaluation.minimum_auc=0.97"), "Evaluator")["settings"]
    assert EvaluationSettings.model_validate_json(settings).minimum_auc == 0.97


def test_the_model_is_compared_with_the_version_and_pushed_where_it_was_chosen(pipeline):
    for node in ("Baseline", "Pusher"):
        record = properties(pipeline, node)
        assert (record["push_dir"], record["model_name"]) == ("/place/pushed", "chest_xray")
    assert properties(pipeline, "Baseline")["version"] == "17"


def test_the_manifest_is_given_the_configuration():
    assert json.loads(properties(wire("seed=8"), "Pusher")["configuration"])["seed"] == 8


def test_the_cache_is_on_and_outputs_go_to_the_root(pipeline):
    assert pipeline.enable_cache
    assert pipeline.pipeline_info.pipeline_root == "/place/artifacts"
    assert pipeline.pipeline_info.pipeline_name == "chest-xray"


def test_beams_steps_run_on_the_configurations_cluster():
    arguments = wire("beam.flink=local", "beam.args=[--parallelism=4]").beam_pipeline_args
    assert arguments[-3:] == [*flink_args("local"), "--parallelism=4"]
    assert SDK_HERE in arguments  # TFX would pack itself for workers that have it.


def test_the_configurations_beam_options_come_last_and_so_win():
    arguments = wire("beam.args=[--direct_num_workers=4]").beam_pipeline_args
    assert arguments[-1] == "--direct_num_workers=4"
    assert "--direct_num_workers=1" in arguments[:-1]


def test_the_node_that_runs_in_every_run_is_there(pipeline):
    assert set(UNCACHED) <= {node.id for node in pipeline.components}


def test_the_check_before_the_push_can_be_tensorflow_servings_container():
    (check,) = (
        node
        for node in wire("serving_check.engine=tensorflow-serving").components
        if node.id == "ServingCheck"
    )
    assert type(check).__name__ == "InfraValidator"
    assert VERSION in check.exec_properties["serving_spec"]
    assert "serve_examples" in check.exec_properties["request_spec"]
