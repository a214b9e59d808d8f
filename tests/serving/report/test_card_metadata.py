import dataclasses

from serving.report.card_metadata import metadata
from serving.report.context import Context
from tests.serving.report import made


def test_a_figure_that_is_undefined_is_not_in_the_metadata():
    one_class = made.group("all", 10, 0, auc=dataclasses.replace(made.around(0.5, 0.1), value=None))
    found = metadata(made.findings(overall=one_class), Context())
    types = [each["type"] for each in found["model-index"][0]["results"][0]["metrics"]]
    assert "roc_auc" not in types
    assert "accuracy" in types


def test_images_of_an_unknown_source_have_a_name_and_no_split():
    (model,) = metadata(made.findings(), Context())["model-index"]
    dataset = model["results"][0]["dataset"]
    assert dataset == {"name": "Chest X-rays (source not stated)", "type": "imagefolder"}
