import pytest

from components.schema_gen import contract_schema
from transform_module import contract

FEATURES = [feature.name for feature in contract_schema().feature]


def declared(name):
    (feature,) = [feature for feature in contract_schema().feature if feature.name == name]
    return feature


def test_every_feature_of_an_example_is_declared_once():
    assert sorted(FEATURES) == sorted(
        [
            contract.IMAGE,
            contract.LABEL,
            contract.LABEL_NAME,
            contract.FILENAME,
            contract.PATIENT_ID,
            contract.SUBTYPE,
            contract.FORMAT,
            contract.WIDTH,
            contract.HEIGHT,
            contract.SHA256,
        ]
    )


@pytest.mark.parametrize("name", FEATURES)
def test_an_example_holds_one_value_of_each(name):
    count = declared(name).value_count
    assert (count.min, count.max) == (1, 1)


@pytest.mark.parametrize("name", FEATURES)
def test_only_the_subtype_may_be_left_out(name):
    assert declared(name).presence.min_fraction == (0 if name == contract.SUBTYPE else 1)


def test_the_domain_of_the_label_is_that_of_the_names():
    domain = declared(contract.LABEL).int_domain
    assert (domain.min, domain.max) == (0, 1)
    assert list(declared(contract.LABEL_NAME).string_domain.value) == ["NORMAL", "PNEUMONIA"]


@pytest.mark.parametrize("name", [contract.WIDTH, contract.HEIGHT])
def test_a_side_has_a_smallest_value(name):
    assert declared(name).int_domain.min == contract.MINIMUM_SIDE


def test_the_image_is_declared_an_image():
    assert declared(contract.IMAGE).HasField("image_domain")
