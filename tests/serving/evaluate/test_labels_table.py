import pytest

from serving.evaluate.labels_table import read
from serving.images.settings import DatasetSettings
from transform_module.errors import UserError

HEAD = "path,label\n"
ROW = "NORMAL/x.png,NORMAL\n"


@pytest.fixture
def table(images):
    def write(text):
        path = images / "labels.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_a_table_shows_everything(table, images):
    path = table(
        "path,label,patient,subtype,site\n"
        "NORMAL/x.png,normal,7,,Rome\n"
        "PNEUMONIA/person1_virus_1.png,1,8,fungus,\n"
    )
    one, other = read(path, ["site"]).images
    assert (one.file, one.name) == (images / "NORMAL/x.png", "NORMAL/x.png")
    assert (one.label, one.patient, one.subtype) == ("NORMAL", "7", "normal")
    assert one.others == {"site": "Rome"}
    assert (other.label, other.patient, other.subtype) == ("PNEUMONIA", "8", "fungus")
    assert other.others == {"site": ""}


def test_names_show_what_the_table_does_not(table):
    (only,) = read(table(HEAD + "PNEUMONIA/person1_virus_1.png,PNEUMONIA\n")).images
    assert (only.patient, only.subtype) == ("virus-1", "virus")


def test_a_byte_order_mark_and_windows_lines_are_taken(table):
    (only,) = read(table(b"\xef\xbb\xbfpath,label\r\nNORMAL/x.png,0\r\n")).images
    assert only.label == "NORMAL"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\n" + ROW, "has no column path. It has: name, label"),
        ("path,lable\n" + ROW, "Did you mean lable"),
        ("", "is empty"),
        ("\n", "is empty"),
        (HEAD, "holds no row"),
        (HEAD + ROW + "y.png,sick\n", r"line 3, column label: the label must be NORMAL or PN"),
        (HEAD + ROW + "y.png\n", "line 3, column label: the label is empty"),
        (HEAD + ",NORMAL\n", "line 2, column path: the path is empty"),
        (HEAD + ROW + "NORMAL/x.png,1\n", "line 3: NORMAL/x.png is in line 2 already"),
        (HEAD + "x.png,-1\n", "lists no image of NORMAL or PNEUMONIA"),
        (b"\xff\xd8\xff\xe0", "it holds no text. Give a CSV file or a folder."),
        (HEAD + '"' + "x" * 200_000 + '",0\n', "cannot be read"),
    ],
)
def test_a_mistake_is_reported(table, text, message):
    with pytest.raises(UserError, match=message):
        read(table(text))


def test_a_column_to_slice_by_that_is_not_there_is_reported_with_the_nearest(table):
    with pytest.raises(UserError, match=r"has no column sight. Did you mean site\?"):
        read(table("path,label,site\n" + "NORMAL/x.png,0,a\n"), ["sight"])


def test_what_is_left_out_is_noted(table):
    found = read(table(HEAD + ROW + "y.png,-1\n"))
    assert found.notes == ("Left out (uncertain label): 1 image of the table.",)
    positive = read(table(HEAD + ROW + "y.png,-1\n"), (), DatasetSettings(uncertain="positive"))
    assert [image.label for image in positive.images] == ["NORMAL", "PNEUMONIA"]


def test_paths_relative_to_another_folder_are_found_where_none_is_there(table, images):
    one, other = read(table(HEAD + "x.png,0\nperson1_virus_1,1\n")).images
    assert one.file == images / "NORMAL/x.png"
    assert other.file == images / "PNEUMONIA/person1_virus_1.png"
    # One that is there shows what they are relative to.
    _, gone = read(table(HEAD + ROW + "person1_virus_1,1\n")).images
    assert gone.file == images / "person1_virus_1"
