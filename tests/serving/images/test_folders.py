import pytest

from serving.images.folders import Found, Tree, place, split_of
from serving.images.labels.class_names import ClassNames


def tree(*paths):
    """A tree of the folders that the paths go through."""
    parts = {
        tuple(path.split("/")[:depth]) for path in paths for depth in range(path.count("/") + 2)
    }
    return Tree(sorted(parts - {("",)} | {()}))


@pytest.mark.parametrize(
    ("name", "split"),
    [("Train", "train"), ("VALIDATION ", "val"), ("tests", None), ("training set", None)],
)
def test_a_split_goes_by_few_names(name, split):
    assert split_of(name) == split


@pytest.mark.parametrize(
    ("parents", "base", "found"),
    [
        ("train/NORMAL", "", Found("train", "NORMAL", 2)),
        ("NORMAL/train/x", "", Found("train", "NORMAL", 2)),
        ("NORMAL/x/train", "", Found("", "NORMAL", 1)),
        ("a/b/valid/PNEUMONIA/x", "a/b", Found("val", "PNEUMONIA", 4)),
        ("train/NORMAL/train", "", Found("train", "NORMAL", 2)),
        ("train/NORMAL/test", "", Found("train", "NORMAL", 2, is_twice_split=True)),
        ("train/COVID", "", Found("train", "", 1)),
        ("x/NORMAL", "a", Found()),
        ("train/BACTERIA", "", Found("train", "PNEUMONIA", 2, subtype="bacteria")),
        ("PNEUMONIA/x/Viral/7", "", Found("", "PNEUMONIA", 1, subtype="virus")),
        ("NORMAL/virus", "", Found("", "NORMAL", 1)),
        ("train/No_Finding", "", Found("train", "NORMAL", 2)),
    ],
)
def test_a_file_is_placed_by_its_folders(parents, base, found):
    assert place(tuple(parents.split("/")), tuple(filter(None, base.split("/")))) == found


@pytest.mark.parametrize(
    ("paths", "bases"),
    [
        (["train/NORMAL", "train/PNEUMONIA"], [()]),
        (["NORMAL", "x/NORMAL"], [()]),
        (["a/b/train/NORMAL", "a/c"], [("a", "b")]),
        (["a/NORMAL", "b/train/NORMAL"], [("a",), ("b",)]),
        (["images/NORMAL", "masks/NORMAL"], [("images",)]),
        (["train", "test/x", "data/NORMAL"], [("data",)]),
        (["train/0", "x"], []),
    ],
)
def test_the_layout_is_found_in_the_topmost_folders_that_hold_one(paths, bases):
    assert tree(*paths).bases() == bases


def test_a_second_copy_is_found_beside_the_layout_and_not_in_it():
    both = tree("train/NORMAL/x/NORMAL", "chest_xray/train/NORMAL", "__x/y/NORMAL")
    assert both.inner_bases(()) == [("chest_xray",), ("__x", "y")]


NAMES = ClassNames({"NORMAL": ["0"], "PNEUMONIA": ["1", "Covid-19"], "LEFT_OUT": ["nodule", "2"]})


@pytest.mark.parametrize(
    ("parents", "found"),
    [
        ("train/0", Found("train", "NORMAL", 2)),
        ("1/test", Found("test", "PNEUMONIA", 2)),
        ("covid_19", Found("", "PNEUMONIA", 1, subtype="covid 19")),
        ("PNEUMONIA/COVID-19", Found("", "PNEUMONIA", 1, subtype="covid 19")),
        ("Nodule", Found("", "", 1, is_left_out=True)),
        ("PNEUMONIA/nodule", Found("", "PNEUMONIA", 1, is_left_out=True)),
        ("1/2", Found("", "PNEUMONIA", 1)),
    ],
)
def test_a_file_is_placed_by_names_of_ones_own(parents, found):
    assert place(tuple(parents.split("/")), (), NAMES) == found


def test_a_name_that_is_understood_beside_classes_alone_makes_no_layout():
    assert tree("data/NORMAL", "virus/x").bases() == [("data",)]
    assert Tree(tree("x/0", "x/1").folders, NAMES).bases() == [("x",)]
