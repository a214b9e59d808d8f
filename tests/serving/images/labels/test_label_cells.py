import pytest

from serving.images.labels.class_names import UNDERSTOOD, ClassNames
from serving.images.labels.label_cells import (
    CLASS_LEFT_OUT,
    OTHER,
    UNCERTAIN,
    LabelColumn,
    Labelled,
    by_columns,
    holds_findings,
    number,
)

NAMES = LabelColumn(UNDERSTOOD, "drop")
FINDINGS = LabelColumn(UNDERSTOOD, "drop", holds_findings=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("1.0", 1),
        ("0,0", 0),
        ("-1.0", -1),
        ("TRUE", 1),
        ("False", 0),
        ("+1", 1),
        ("2", None),
        ("0.5", None),
        ("", None),
        ("10", None),
    ],
)
def test_numbers_are_read_as_programs_write_them(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("normal", Labelled("NORMAL")),
        ("No Finding", Labelled("NORMAL")),
        ("Virus", Labelled("PNEUMONIA", "virus")),
        ("1.0", Labelled("PNEUMONIA")),
        ("False", Labelled("NORMAL")),
        ("-1", Labelled("", left_out=UNCERTAIN)),
        ("sick", None),
        ("2", None),
    ],
)
def test_a_name_that_is_not_understood_is_no_label(text, found):
    assert NAMES.read(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Effusion|Pneumonia", Labelled("PNEUMONIA")),
        ("['pneumonia', 'bacterial']", Labelled("PNEUMONIA", "bacteria")),
        ("No Finding", Labelled("NORMAL")),
        ("['normal']", Labelled("NORMAL")),
        ("Effusion", Labelled("", left_out=OTHER)),
        ("No Finding|Effusion", Labelled("", left_out=OTHER)),
        ("[]", Labelled("", left_out=OTHER)),
    ],
)
def test_pneumonia_among_findings_counts_and_others_are_left_out(text, found):
    assert FINDINGS.read(text) == found


def test_names_of_ones_own_go_before_numbers():
    names = ClassNames({"NORMAL": ["1"], "PNEUMONIA": ["0"], "LEFT_OUT": ["2"]})
    column = LabelColumn(names, "drop")
    assert [column.read(text) for text in ("0", "1.0", "2")] == [
        Labelled("PNEUMONIA"),
        Labelled("NORMAL"),
        Labelled("", left_out=CLASS_LEFT_OUT),
    ]


@pytest.mark.parametrize(
    ("cells", "are"),
    [
        (["Effusion", "Pneumonia|Mass"], True),
        (["Effusion", "No Finding"], True),
        (["['pneumonia']", "['mass']"], True),
        (["NORMAL", "sick"], False),
        (["0", "1"], False),
    ],
)
def test_a_column_holds_findings_where_it_lists_any_or_none(cells, are):
    assert holds_findings(cells) == are


@pytest.mark.parametrize(
    ("pneumonia", "no_finding", "uncertain", "found"),
    [
        (1, None, "drop", Labelled("PNEUMONIA")),
        (0, 1, "drop", Labelled("NORMAL")),
        (None, 1, "drop", Labelled("NORMAL")),
        (0, None, "drop", Labelled("", left_out=OTHER)),
        (None, None, "drop", Labelled("", left_out=OTHER)),
        (-1, None, "drop", Labelled("", left_out=UNCERTAIN)),
        (-1, None, "positive", Labelled("PNEUMONIA")),
        (-1, None, "negative", Labelled("", left_out=OTHER)),
        (-1, 1, "negative", Labelled("NORMAL")),
    ],
)
def test_normal_is_what_has_no_finding_and_not_what_has_no_pneumonia(
    pneumonia, no_finding, uncertain, found
):
    assert by_columns(pneumonia, no_finding, uncertain) == found
