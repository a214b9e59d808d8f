from dataclasses import dataclass

import pytest

from serving.images.labels.matching import Matching
from transform_module.errors import UserError


@dataclass
class Row:
    line: int


def matched(rows, files):
    matching = Matching(
        {row: Row(line) for line, row in enumerate(rows, 2)}, ("", "data", "xray"), "t.csv, line"
    )
    matching.match(files)
    return matching


@pytest.mark.parametrize(
    ("row", "file"),
    [
        ("a.png", "a.png"),
        ("images/a.png", "images/a.png"),
        ("a.png", "images_001/images/a.png"),
        ("xray/images/a.png", "images/a.png"),
        ("/data/xray/images/a.png", "images/a.png"),
        ("a", "images/a.dcm"),
        ("images/a.dcm", "images/a.png"),
        ("1.2.840.5", "x/1.2.840.5.dcm"),
    ],
)
def test_a_row_means_the_file_whose_path_ends_in_it(row, file):
    matching = matched([row], [file, "b.png"])
    assert matching.file(row) == file
    assert matching.row(file) == Row(2)
    assert matching.row("b.png") is None
    assert list(matching.without_file()) == []


@pytest.mark.parametrize(
    ("row", "file"), [("a.png", "ba.png"), ("other/a.png", "a.png"), ("a.png", "a.txt")]
)
def test_another_file_is_none_of_a_row(row, file):
    matching = matched([row], [file])
    assert matching.row(file) is None
    assert list(matching.without_file()) == [Row(2)]


def test_a_path_from_the_image_folder_on_goes_before_one_in_a_folder():
    matching = matched(["train/a.png"], ["old/train/a.png", "train/a.png"])
    assert matching.row("train/a.png") == Row(2)
    assert matching.row("old/train/a.png") is None


def test_a_row_with_the_suffix_goes_before_one_without():
    matching = matched(["a.png", "a.dcm"], ["a.dcm", "a.png", "a.jpg"])
    assert matching.row("a.dcm") == Row(3)
    assert matching.row("a.png") == Row(2)
    assert matching.row("a.jpg") is None


def test_two_files_of_a_row_are_refused():
    with pytest.raises(UserError, match=r"t.csv, line 2: a.png may be x/a.png or y/a.png. Write"):
        matched(["a.png"], ["x/a.png", "y/a.png"])
