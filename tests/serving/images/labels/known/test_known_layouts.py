from collections import Counter

import pytest

from serving.images.labels.known.known_layouts import KNOWN, find_tables, recognised
from serving.images.labels.labelled_files import labelled_files
from serving.images.layout import scan
from serving.images.patients import patient_finder
from serving.images.settings import DatasetSettings
from tests.components.convert.folders import fill
from tests.serving.images.labels.known.miniatures import MINIATURES
from transform_module.errors import UserError


def test_each_known_layout_has_a_miniature():
    assert set(MINIATURES) == set(KNOWN)


@pytest.fixture(params=sorted(KNOWN))
def name(request):
    return request.param


def test_images_have_their_labels_splits_and_patients(tmp_path, name):
    made = MINIATURES[name]()
    settings = DatasetSettings(layout=name)
    files = labelled_files(fill(tmp_path, made.files(lambda _: b"1")), settings)
    patients = patient_finder(settings, files)
    taken = [file for file in files if not file.skipped]
    assert not [file for file in taken if file.problem]
    found = {file.filename: (file.label, file.folder, patients(file)) for file in taken}
    assert found == made.images


def test_others_are_left_out_with_their_reasons(tmp_path, name):
    made = MINIATURES[name]()
    files = labelled_files(fill(tmp_path, made.files(lambda _: b"1")), DatasetSettings(layout=name))
    skipped = {file.filename: file.skipped for file in files if file.skipped}
    assert {path: skipped[path] for path in made.left_out} == made.left_out
    assert {skipped[path] for path in made.unlisted} <= {"not in the table of labels"}
    assert set(skipped) == {*made.left_out, *made.unlisted, *made.tables}


def test_tables_may_be_in_another_folder(tmp_path, name):
    made = MINIATURES[name]()
    files = made.files(lambda _: b"1")
    fill(tmp_path / "tables", {path: files[path] for path in made.tables})
    fill(tmp_path / "images", {path: b"1" for path in files if path not in made.tables})
    settings = DatasetSettings(layout=name, labels=str(tmp_path / "tables"))
    labels = Counter(file.label for file in labelled_files(tmp_path / "images", settings))
    assert labels["NORMAL"] == labels["PNEUMONIA"] == 8


def test_a_table_that_is_missing_is_named_with_what_to_write(tmp_path, name):
    with pytest.raises(UserError, match=rf"{name} has its labels in .*\.csv.*: --labels FOLDER"):
        find_tables(name, tmp_path, None)


@pytest.mark.parametrize("name", ["nih", "chexpert", "mimic", "rsna", "padchest"])
def test_a_dataset_is_recognised_by_its_tables(tmp_path, name):
    made = MINIATURES[name]()
    assert recognised(made.tables) == name
    with pytest.raises(UserError, match=rf"The tables are those of {name}: --layout {name} \("):
        scan(fill(tmp_path, made.tables))


@pytest.mark.parametrize("names", [[], ["train.csv"], ["labels.csv", "test_list.txt"]])
def test_other_tables_are_not_recognised(names):
    assert recognised(names) is None


def test_a_table_by_another_name_may_be_given(tmp_path):
    made = MINIATURES["rsna"]()
    files = made.files(lambda _: b"1")
    files["rsna.csv"] = files.pop("stage_2_train_labels.csv")
    fill(tmp_path, files)
    found = find_tables("rsna", tmp_path, str(tmp_path / "rsna.csv"))
    assert {role: place.name for role, place in found.items()} == {
        "labels": "rsna.csv",
        "classes": "stage_2_detailed_class_info.csv",
    }
