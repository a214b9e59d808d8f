import logging
from typing import Any

import pytest

pytest.importorskip("tensorflow_data_validation")

import tensorflow_data_validation as tfdv
from tfx.components.statistics_gen import executor as statistics_gen
from tfx.types import Channel, standard_artifacts
from tfx.utils import io_utils

from components.example_validator import ExampleValidator, breaches
from components.statistics_gen import statistics_options
from serving.beam.beam_args import DEFAULT_BEAM_ARGS
from tests.components import tiny, validated
from transform_module import contract
from transform_module.errors import UserError

pytestmark = pytest.mark.slow


def found(examples):
    return list(breaches("eval", validated.statistics(examples)))


def test_good_examples_pass():
    assert found(validated.rows(20)) == []


@pytest.mark.parametrize("subtype", [None, "virus", "a new one"])
def test_a_subtype_may_be_there_or_not(subtype):
    assert found(validated.rows(20, subtype=subtype)) == []


def test_a_feature_beside_the_contract_may_be_there():
    assert found(validated.rows(20, hospital="north")) == []


def test_one_class_in_a_hundred_passes():
    assert found([*validated.rows(200)[::2], validated.rows(2)[1]]) == []


BREACHES: dict[str, tuple[dict[str, Any], str]] = {
    "missing everywhere": ({contract.SHA256: None}, "The feature was not present in any examples"),
    "an image missing everywhere": (
        {contract.IMAGE: None},
        "The feature was not present in any examples",
    ),
    "a label missing everywhere": (
        {contract.LABEL: None},
        "The feature was not present in any examples",
    ),
    "a label as text": ({contract.LABEL: "1"}, "Unexpected data type"),
    "a label as a fraction": ({contract.LABEL: 0.5}, "Expected data of type: INT but got FLOAT"),
    "a width as text": ({contract.WIDTH: "100"}, "Unexpected data type"),
    "an image as a number": ({contract.IMAGE: 3}, "Expected data of type: BYTES but got INT"),
    "a label of a third class": ({contract.LABEL: 2}, "Out-of-range values"),
    "a negative label": ({contract.LABEL: -1}, "Out-of-range values"),
    "an unknown name": ({contract.LABEL_NAME: "COVID"}, "Unexpected string values"),
    "a tiny image": ({contract.HEIGHT: 31}, "Out-of-range values"),
    "two labels": ({contract.LABEL: [0, 1]}, "Superfluous values"),
}


@pytest.mark.parametrize("case", BREACHES)
def test_a_breach_names_split_feature_and_anomaly(case):
    change, anomaly = BREACHES[case]
    (name,) = change
    message = found(validated.rows(20, **change))
    assert len(message) == 1
    assert message[0].startswith(f"split eval, feature {name}: ")
    assert anomaly in message[0]


def test_a_feature_that_one_example_lacks_is_a_breach():
    (message,) = found([*validated.rows(99), *validated.rows(1, patient_id=None)])
    assert message.startswith("split eval, feature patient_id: Column dropped")


def test_a_feature_without_a_value_is_a_breach():
    (message,) = found([*validated.rows(10), *validated.rows(1, label=[])])
    assert message.startswith("split eval, feature label: Missing values")


def test_all_breaches_are_reported():
    message = found(validated.rows(20, width=3, label_name="COVID", sha256=None))
    assert [line.split(": ")[0].rpartition(" ")[2] for line in message] == [
        "label_name",
        "sha256",
        "width",
    ]


@pytest.mark.parametrize(("present", "absent"), [(0, "PNEUMONIA"), (1, "NORMAL")])
def test_an_absent_class_is_named(present, absent):
    message = found(validated.rows(20)[present::2])
    assert message == [f"split eval, feature label: no example of {absent}"]


@pytest.fixture(scope="module")
def statistics(tmp_path_factory):
    """What StatisticsGen's own executor makes of good and bad splits."""
    splits = {
        "train": validated.rows(20),
        "eval": validated.rows(20),
        "other": validated.rows(20, subtype="a new one"),
        "empty": [],
        "small": validated.rows(20, height=5)[::2],
    }
    folder = tmp_path_factory.mktemp("statistics")
    for split, examples in splits.items():
        tiny.write_split(folder / "examples", split, examples)
    artifact = tiny.artifact(standard_artifacts.ExampleStatistics, folder / "statistics")
    context = statistics_gen.Executor.Context(
        beam_pipeline_args=[*DEFAULT_BEAM_ARGS],
        tmp_dir=str(folder / "tmp"),
        unique_id="1",
    )
    statistics_gen.Executor(context).Do(
        {"examples": [tiny.examples_artifact(folder / "examples", splits)]},
        {"statistics": [artifact]},
        {"stats_options_json": statistics_options().to_json()},
    )
    return artifact


def validate(folder, statistics, *splits):
    """Runs ExampleValidator on some splits, with the schema that SchemaGen infers from train."""
    train = tfdv.load_stats_binary(f"{statistics.uri}/Split-train/FeatureStats.pb")
    schema = tiny.artifact(standard_artifacts.Schema, folder / "schema")
    io_utils.write_pbtxt_file(f"{schema.uri}/schema.pbtxt", tfdv.infer_schema(train))
    anomalies = tiny.artifact(standard_artifacts.ExampleAnomalies, folder / "anomalies")
    statistics.splits = list(splits)
    ExampleValidator.test_call(statistics=statistics, schema=schema, anomalies=anomalies)
    return anomalies


def logged(caplog):
    return [line for line in caplog.messages if line.startswith("Anomaly against the schema")]


def test_good_splits_pass_and_their_anomalies_are_written(tmp_path, statistics, caplog):
    anomalies = validate(tmp_path, statistics, "train", "eval")
    assert anomalies.splits == ["train", "eval"]
    assert (tmp_path / "anomalies" / "Split-eval" / "SchemaDiff.pb").exists()
    assert logged(caplog) == []


def test_splits_that_break_the_contract_stop_the_run_with_every_breach(tmp_path, statistics):
    with pytest.raises(UserError) as caught:
        validate(tmp_path, statistics, "train", "empty", "small")
    headline, *lines = str(caught.value).splitlines()
    assert headline == "The examples are not what the pipeline needs:"
    assert lines[0] == "  split empty: it has no examples"
    assert lines[1].startswith("  split small, feature height: Out-of-range values")
    assert lines[2] == "  split small, feature label: no example of PNEUMONIA"
    assert "give another `seed`" in lines[3]


def test_another_seed_is_not_advised_where_a_class_is_in_no_split(tmp_path, statistics):
    with pytest.raises(UserError) as caught:
        validate(tmp_path, statistics, "small")
    message = str(caught.value)
    assert "No split holds an example of PNEUMONIA: fix the image folder" in message
    assert "seed" not in message


def test_what_merely_differs_from_the_inferred_schema_is_logged_and_passes(
    tmp_path, statistics, caplog
):
    with caplog.at_level(logging.WARNING, "components.example_validator"):
        validate(tmp_path, statistics, "train", "other")
    assert "split other, feature subtype: Unexpected string values" in "\n".join(logged(caplog))


def test_the_component_wires_statistics_and_schema_to_anomalies():
    component = ExampleValidator(
        statistics=Channel(type=standard_artifacts.ExampleStatistics),
        schema=Channel(type=standard_artifacts.Schema),
    )
    assert list(component.inputs) == ["statistics", "schema"]
    assert component.outputs["anomalies"].type is standard_artifacts.ExampleAnomalies
    assert list(component.exec_properties) == ["code"]
