import pytest

from components.schema import contract_schema
from transform_module import features

FEATURES = [feature.name for feature in contract_schema().feature]


def declared(name):
    (feature,) = [feature for feature in contract_schema().feature if feature.name == name]
    return feature


def test_every_feature_of_an_example_is_declared_once():
    assert sorted(FEATURES) == sorted(
        [
            features.IMAGE,
            features.LABEL,
            features.LABEL_NAME,
            features.FILENAME,
            features.PATIENT_ID,
            features.SUBTYPE,
            features.FORMAT,
            features.WIDTH,
            features.HEIGHT,
            features.SHA256,
        ]
    )


@pytest.mark.parametrize("name", FEATURES)
def test_an_example_holds_one_value_of_each(name):
    count = declared(name).value_count
    assert (count.min, count.max) == (1, 1)


@pytest.mark.parametrize("name", FEATURES)
def test_only_the_subtype_may_be_left_out(name):
    assert declared(name).presence.min_fraction == (0 if name == features.SUBTYPE else 1)


def test_the_domain_of_the_label_is_that_of_the_names():
    domain = declared(features.LABEL).int_domain
    assert (domain.min, domain.max) == (0, 1)
    assert list(declared(features.LABEL_NAME).string_domain.value) == ["NORMAL", "PNEUMONIA"]


@pytest.mark.parametrize("name", [features.WIDTH, features.HEIGHT])
def test_a_side_has_a_smallest_value(name):
    assert declared(name).int_domain.min == features.MINIMUM_SIDE


def test_the_image_is_declared_an_image():
    assert declared(features.IMAGE).HasField("image_domain")
