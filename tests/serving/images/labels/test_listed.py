import pytest

from serving.images.labels.listed import ListedImage, listed
from serving.images.labels.tables import read
from serving.images.settings import DatasetSettings
from transform_module.errors import UserError


@pytest.fixture
def rows(tmp_path):
    def of(text, others=(), **settings):
        path = tmp_path / "labels.csv"
        path.write_text(text)
        table = read(path, "table of labels")
        return list(listed(table, DatasetSettings(**settings), others).values())

    return of


def test_all_columns_are_read_by_their_usual_names(rows):
    assert rows(
        "Subject ID,FILENAME,Diagnosis,Set,View Position,Subtype,Site\n"
        "7,a.png,Pneumonia,Validation,AP,Fungus,Rome\n",
        ["site"],
    ) == [ListedImage("a.png", 2, "PNEUMONIA", "", "7", "val", "fungus", ("Rome",))]


def test_findings_decide_and_others_are_left_out(rows):
    found = rows("Image Index,Finding Labels\na,No Finding\nb,Mass\nc,Mass|Pneumonia\n")
    assert [(row.label, row.left_out) for row in found] == [
        ("NORMAL", ""),
        ("", "other finding"),
        ("PNEUMONIA", ""),
    ]


def test_columns_of_pneumonia_and_no_finding_are_labels(rows):
    text = "Path,No Finding,Pneumonia\na,1.0,\nb,,1.0\nc,,-1.0\nd,,\n"
    assert [row.label for row in rows(text)] == ["NORMAL", "PNEUMONIA", "", ""]
    assert [row.label for row in rows(text, uncertain="positive")][2] == "PNEUMONIA"
    assert [row.label for row in rows("path,pneumonia\na,0\nb,1\nc,\n")] == [
        "NORMAL",
        "PNEUMONIA",
        "",
    ]


def test_lateral_views_are_left_out_or_kept(rows):
    text = "path,label,Frontal/Lateral\na,0,Frontal\nb,0,Lateral\nc,0,\n"
    assert [row.left_out for row in rows(text)] == ["", "lateral view", ""]
    assert [row.left_out for row in rows(text, lateral="keep")] == ["", "", ""]


def test_paths_of_windows_have_slashes(rows):
    assert [row.path for row in rows("path,label\nimages\\a.png,0\n./b.png,1\n")] == [
        "images/a.png",
        "b.png",
    ]


def test_a_row_twice_is_one(rows):
    assert [row.line for row in rows("path,label\na,1\nb,0\na,1.0\n")] == [2, 3]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("path,label\n", "holds no row"),
        ("name,label\na,0\n", "has no column path. It has: name, label"),
        ("path,lable\na,0\n", "has no column label. Did you mean lable"),
        ("path,label\n,0\n", "line 2, column path: the path is empty"),
        ("path,label\na,\n", "line 2, column label: the label is empty"),
        ("path,label\na,0\na,1\n", "line 3: a is in line 2 already, and the two labels differ"),
        ("path,label,patient\na,0,x\na,0,y\n", "line 3: a is in line 2 already, and the two rows"),
        ("path,label,split\na,0,fold 1\n", "line 2, column split: the split must be one of train,"),
        ("path,Pneumonia\na,maybe\n", "line 2, column Pneumonia: expected 1, 0, -1 or nothing. Re"),
    ],
)
def test_a_mistake_is_reported_with_its_place(rows, text, message):
    with pytest.raises(UserError, match=message):
        rows(text)


def test_labels_that_are_not_understood_are_named_with_what_to_write(rows):
    text = "path,label\na,well\nb,sick\nc,NORMAL\nd,covid\n"
    with pytest.raises(UserError) as refusal:
        rows(text)
    assert (
        "line 2, column label: the label must be NORMAL or PNEUMONIA, or 0 or 1. Received"
        in str(refusal.value)
    )
    assert (
        "--classes '{NORMAL: [], PNEUMONIA: [covid], LEFT_OUT: [sick, well]}' (in a configuration"
    ) in str(refusal.value)
    classes = {"NORMAL": ["well"], "PNEUMONIA": ["sick", "covid"]}
    assert [row.label for row in rows(text, classes=classes)] == [
        "NORMAL",
        "PNEUMONIA",
        "NORMAL",
        "PNEUMONIA",
    ]
