import pytest

from serving.images import passed_over


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".DS_Store", "system file"),
        ("x.jpeg:Zone.Identifier", "system file"),
        ("x.jpeg_Zone.Identifier", "system file"),
        ("x.jpeg", None),
        ("Zone.Identifier of x.jpeg", None),
        ("thumbs.jpeg", None),
    ],
)
def test_files_of_the_system_go_by_their_names(name, reason):
    assert passed_over.of_file(name) == reason


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("__MACOSX", "system file"),
        ("lost+found", "system file"),
        (".git", "system file"),
        (".Trash-1000", "in a trash folder"),
        ("Trash", "in a trash folder"),
        ("#recycle", "in a trash folder"),
        ("Thumbnails", "thumbnail"),
        (".@__thumb", "thumbnail"),
        ("ward", None),
        ("trashcan images", None),
        ("masks", None),
    ],
)
def test_folders_that_are_of_no_dataset_go_by_their_names(name, reason):
    assert passed_over.of_folder(name) == reason


def test_a_document_may_be_one_by_its_name_and_an_image_is_one_by_its_head():
    assert passed_over.may_be_document("a.TXT")
    assert passed_over.may_be_document(".keep")
    assert not passed_over.may_be_document("a.jpeg")
    assert not passed_over.may_be_document("txt")
    assert passed_over.is_image_head(b"\xff\xd8\xff\xe0")
    assert not passed_over.is_image_head(b"text")
