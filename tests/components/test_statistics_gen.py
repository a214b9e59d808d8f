import pytest

from components.statistics_gen import statistics_options
from tests.components import validated
from transform_module import contract

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found():
    """The statistics of a split by feature, as StatisticsGen's options make them."""
    (dataset,) = validated.statistics(validated.rows(20)).datasets
    return {feature.path.step[0]: feature for feature in dataset.features}


def test_every_feature_is_counted(found):
    assert {name: validated.common(each).num_non_missing for name, each in found.items()} == {
        contract.IMAGE: 20,
        contract.LABEL: 20,
        contract.LABEL_NAME: 20,
        contract.FILENAME: 20,
        contract.PATIENT_ID: 20,
        contract.SUBTYPE: 10,
        contract.FORMAT: 20,
        contract.WIDTH: 20,
        contract.HEIGHT: 20,
        contract.SHA256: 20,
    }


def test_the_images_bytes_are_counted_and_no_more(found):
    image = found[contract.IMAGE]
    assert image.WhichOneof("stats") == "bytes_stats"
    assert image.bytes_stats.max_num_bytes == len(validated.IMAGE)
    assert image.bytes_stats.unique == 0
    assert validated.IMAGE not in image.SerializeToString()


def test_the_other_strings_are_ranked(found):
    ranked = found[contract.LABEL_NAME].string_stats
    assert ranked.unique == 2
    assert {value.value: value.frequency for value in ranked.top_values} == {
        "NORMAL": 10,
        "PNEUMONIA": 10,
    }


@pytest.mark.parametrize("name", [contract.FILENAME, contract.PATIENT_ID, contract.SHA256])
def test_no_name_of_a_file_or_a_patient_is_in_them(found, name):
    text = found[name].SerializeToString()
    assert not any(str(row[name]).encode() in text for row in validated.rows(20))


def test_numbers_have_their_range(found):
    width = found[contract.WIDTH].num_stats
    assert (width.min, width.max) == (100, 119)


def test_images_that_are_not_text_give_no_warning(caplog):
    validated.statistics(validated.rows(4))
    assert not [line for line in caplog.messages if "utf" in line.lower()]


def test_the_options_survive_the_components_json():
    import tensorflow_data_validation as tfdv

    options = tfdv.StatsOptions.from_json(statistics_options().to_json())
    assert options.use_sketch_based_topk_uniques
    assert options.schema == statistics_options().schema
