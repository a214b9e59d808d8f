import os
from pathlib import Path

import pytest

from serving.evaluate.labelled import find
from serving.images.settings import DatasetSettings
from tests.components.convert.folders import fill
from tests.serving.evaluate.samples import grey
from tests.serving.images.labels.known.miniatures import MINIATURES
from transform_module.errors import UserError

SETTINGS = DatasetSettings()


def by_name(found):
    return {Path(each.name).name: each for each in found.images}


def test_folders_show_the_labels_and_names_the_rest(images):
    found = by_name(find(images, SETTINGS))
    assert len(found) == 8
    virus = found["person1_virus_1.png"]
    assert (virus.label, virus.subtype, virus.patient) == ("PNEUMONIA", "virus", "virus-1")
    normal = found["IM-0001-0002.png"]
    assert (normal.label, normal.subtype, normal.patient) == ("NORMAL", "normal", "normal-0001")
    assert normal.name == "NORMAL/IM-0001-0002.png"
    assert normal.file.read_bytes() == grey(30)
    assert found["x.png"].patient is None


def test_a_pneumonia_of_no_known_kind_has_no_subtype(images):
    (images / "PNEUMONIA" / "a.png").write_bytes(grey(9))
    assert by_name(find(images, SETTINGS))["a.png"].subtype == ""


def test_all_splits_are_taken_and_train_is_noted(images, tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    images.rename(whole / "test")
    assert find(whole, SETTINGS).notes == ()
    (whole / "train" / "NORMAL").mkdir(parents=True)
    (whole / "train" / "NORMAL" / "y.png").write_bytes(grey(9))
    found = find(whole, SETTINGS)
    assert len(found.images) == 9
    assert "trained on" in found.notes[0]


def test_what_is_outside_is_counted_and_system_files_are_not(images):
    (images / "x.png").write_text("hello")
    (images / ".DS_Store").write_text("system")
    found = find(images, SETTINGS)
    assert len(found.images) == 8
    assert found.notes == (
        "Files outside the class folders, which were ignored: 1.",
        "Files skipped (system file): 1.",
    )


def test_what_is_known_to_be_no_image_keeps_its_reason(images):
    (images / "NORMAL" / "link.png").symlink_to("nowhere")
    assert by_name(find(images, SETTINGS))["link.png"].problem == "link that leads nowhere"


def test_a_pattern_shows_the_patients(images):
    found = find(images, DatasetSettings(patient_pattern=r"^(.)"))
    assert by_name(found)["x.png"].patient == "x"


def test_a_name_that_is_not_text_is_found(images):
    path = os.fsencode(images / "NORMAL") + b"/\xe9.png"
    Path(os.fsdecode(path)).write_bytes(grey(9))
    found = by_name(find(images, SETTINGS))[r"\xe9.png"]
    assert found.file.read_bytes() == grey(9)


def test_a_folder_without_class_folders_is_refused(images):
    with pytest.raises(UserError, match="holds no images in class folders"):
        find(images / "NORMAL", SETTINGS)


def test_a_folder_may_be_labelled_by_a_table(images, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text(
        "file,class,patient,subtype\nx.png,1,7,fungus\ngone.png,0,8,\nIM-0001-0002.png,-1,,\n"
    )
    found = find(images, DatasetSettings(labels=str(table)))
    one = by_name(found)["x.png"]
    assert (one.label, one.patient, one.subtype) == ("PNEUMONIA", "7", "fungus")
    assert by_name(found)["gone.png"].problem == "listed in the table, and not there"
    assert len(found.images) == 2
    assert "Files skipped (not in the table of labels): 6." in found.notes
    assert "Files skipped (uncertain label): 1." in found.notes


def test_the_layout_of_a_public_dataset_labels_its_folder(tmp_path):
    made = MINIATURES["chexpert"]()
    fill(tmp_path, made.files(lambda _: grey(9)))
    found = find(tmp_path, DatasetSettings(layout="chexpert"))
    assert {image.name: (image.label, image.patient) for image in found.images} == {
        path: (label, patient) for path, (label, _, patient) in made.images.items()
    }
