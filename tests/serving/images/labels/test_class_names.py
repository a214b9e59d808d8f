import pytest
import yaml

from serving.images.labels.class_names import UNDERSTOOD, ClassNames, Meaning, normalized


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("Normal", Meaning("NORMAL")),
        ("pneumonia ", Meaning("PNEUMONIA")),
        ("No Finding", Meaning("NORMAL")),
        ("VIRAL_PNEUMONIA", Meaning("PNEUMONIA", "virus")),
        ("Bacteria", Meaning("PNEUMONIA", "bacteria")),
        ("abnormal", None),
        ("0", None),
        ("1", None),
        ("COVID19", None),
    ],
)
def test_a_name_is_understood_only_where_it_cannot_be_misread(name, meaning):
    assert UNDERSTOOD.meaning(name) == meaning


def test_names_of_ones_own_go_before_those_that_are_understood():
    names = ClassNames({"PNEUMONIA": ["1", "covid", "Pneumonia"], "LEFT_OUT": ["virus"]})
    assert names.meaning("1.0") == Meaning("PNEUMONIA")
    assert names.meaning("COVID") == Meaning("PNEUMONIA", "covid")
    assert names.meaning("pneumonia") == Meaning("PNEUMONIA")
    assert names.meaning("virus") == Meaning("")
    assert names.label_of("virus") is None


@pytest.mark.parametrize(
    ("name", "is_certain"),
    [("NORMAL", True), ("covid", True), ("virus", False), ("nodule", False), ("x", False)],
)
def test_the_labels_and_what_is_given_show_a_layout(name, is_certain):
    names = ClassNames({"PNEUMONIA": ["covid"], "LEFT_OUT": ["nodule"]})
    assert names.is_certain(name) == is_certain


@pytest.mark.parametrize(
    ("found", "proposed"),
    [
        (["0", "1"], {"NORMAL": ["0"], "PNEUMONIA": ["1"]}),
        (
            ["NORMAL", "COVID19", "Mass"],
            {"NORMAL": [], "PNEUMONIA": ["COVID19"], "LEFT_OUT": ["Mass"]},
        ),
        (["no", "yes"], {"NORMAL": ["no"], "PNEUMONIA": ["yes"]}),
        (["Lungs' edge: x"], {"NORMAL": [], "PNEUMONIA": [], "LEFT_OUT": ["Lungs' edge: x"]}),
    ],
)
def test_a_proposal_is_yaml_between_the_quotes_of_a_shell(found, proposed):
    option, _, text = UNDERSTOOD.proposal(found).partition(" ")
    assert option == "--classes"
    assert text.count("'") == 2
    assert yaml.safe_load(text.strip("'")) == proposed


def test_names_are_compared_without_case_and_separators():
    assert normalized(" No_-Finding") == normalized("no finding")
    assert normalized("1.00") == "1"
