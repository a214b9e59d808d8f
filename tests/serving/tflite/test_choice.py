import pytest

from serving.images.settings import DatasetSettings
from serving.tflite import choice
from tests.components.convert.folders import fill
from transform_module.errors import UserError


def names(chosen):
    return sorted(str(file.relative_to(chosen.folder)) for file in chosen.files)


def test_representative_images_are_those_of_train(tmp_path):
    root = fill(tmp_path, {f"{part}/NORMAL/1.png": b"" for part in ("train", "val", "test")})
    chosen = choice.representative(root)
    assert chosen.part == "train"
    assert names(chosen) == ["train/NORMAL/1.png"]


def test_without_train_they_are_all_but_those_of_test(tmp_path):
    root = fill(
        tmp_path, {"a.png": b"", "deep/b.png": b"", "TEST/c.png": b"", "x/testing/d.png": b""}
    )
    assert names(choice.representative(root)) == ["a.png", "deep/b.png"]


def test_test_images_alone_are_refused(tmp_path):
    root = fill(tmp_path, {"test/NORMAL/1.png": b""})
    with pytest.raises(UserError, match="nothing but test images"):
        choice.representative(root)


def test_no_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="no folder of images"):
        choice.representative(tmp_path / "nowhere")


def test_at_most_so_many_are_taken_and_always_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(choice, "REPRESENTATIVE", 5)
    root = fill(tmp_path, {f"{number}.png": b"" for number in range(20)})
    chosen = choice.representative(root)
    assert (len(chosen.files), chosen.of) == (5, 20)
    assert names(chosen) != sorted(f"{number}.png" for number in range(20))[:5]
    (root / chosen.files[0].name).touch()
    assert choice.representative(root).files == chosen.files


def test_predicted_are_the_images_of_test_with_their_classes(tmp_path):
    layout = ("train/NORMAL/1", "train/PNEUMONIA/2", "Test/normal/3", "Test/PNEUMONIA/deep/4")
    chosen = choice.held_out(fill(tmp_path, {f"{name}.png": b"" for name in layout}))
    assert names(chosen) == ["Test/PNEUMONIA/deep/4.png", "Test/normal/3.png"]
    by_name = dict(zip([file.name for file in chosen.files], chosen.labels, strict=True))
    assert by_name == {"3.png": 0, "4.png": 1}


def test_without_test_all_images_of_both_classes_are_predicted(tmp_path):
    root = fill(tmp_path, {"NORMAL/1.png": b"", "PNEUMONIA/2.png": b"", "NORMAL/.DS_Store": b""})
    assert names(choice.held_out(root)) == ["NORMAL/1.png", "PNEUMONIA/2.png"]


def test_classes_by_other_names_are_those_of_the_settings(tmp_path):
    root = fill(tmp_path, {"0/1.png": b"", "1/2.png": b""})
    settings = DatasetSettings(classes={"NORMAL": ["0"], "PNEUMONIA": ["1"]})
    assert names(choice.held_out(root, settings)) == ["0/1.png", "1/2.png"]


def test_a_class_that_is_missing_is_named(tmp_path):
    root = fill(tmp_path, {"train/NORMAL/1.png": b"", "test/PNEUMONIA/2.png": b""})
    with pytest.raises(UserError, match="test holds no NORMAL"):
        choice.held_out(root)
