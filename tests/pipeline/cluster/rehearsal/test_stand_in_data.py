from types import SimpleNamespace

import pytest
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.cluster.rehearsal import stand_in_data
from pipeline.cluster.rehearsal.compiled import Compiled
from transform_module.errors import UserError


def compiled(**parameters):
    return Compiled(pipeline_spec_pb2.PipelineSpec(), parameters, "gs://bucket/runs")


@pytest.fixture(autouse=True)
def converted(monkeypatch):
    """Counts the conversions in place of converting."""
    calls = []

    def convert(*arguments):
        calls.append(arguments)
        return SimpleNamespace(fingerprint="f1")

    monkeypatch.setattr(stand_in_data, "_convert", convert)
    return calls


@pytest.mark.parametrize("place", ["gs://bucket/examples", "gs://bucket/runs/examples"])
def test_images_are_converted_wherever_the_examples_would_be(tmp_path, converted, place):
    given, places = stand_in_data.made_local(compiled(examples=place), tmp_path, {}, None, None)
    assert len(converted) == 1
    assert given.parameters["dataset_fingerprint"] == "f1"
    assert places == {
        place: str(tmp_path / "dataset"),
        "gs://bucket/runs": str(tmp_path / "root"),
    }


def test_images_count_before_a_place_for_the_examples(tmp_path, converted):
    place = "gs://bucket/examples"
    _, places = stand_in_data.made_local(
        compiled(examples=place), tmp_path, {place: "here"}, tmp_path / "images", None
    )
    assert len(converted) == 1
    assert places[place] == str(tmp_path / "dataset")


def test_a_place_that_means_the_examples_is_taken(tmp_path, converted):
    given = {"gs://bucket/examples": "here"}
    _, places = stand_in_data.made_local(
        compiled(examples="gs://bucket/examples"), tmp_path, given, None, None
    )
    assert converted == []
    assert places == {**given, "gs://bucket/runs": str(tmp_path / "root")}


def test_a_pipeline_whose_data_cannot_be_chosen_is_reported(tmp_path):
    with pytest.raises(UserError, match="has no parameter examples"):
        stand_in_data.made_local(compiled(), tmp_path, {}, None, None)
