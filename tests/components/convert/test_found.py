"""Folders that people really have, as far as they are on this machine."""

import csv
from collections import Counter

import pytest

from components.convert.convert import inspect
from components.convert.survey import sheet
from serving.images.settings import DatasetSettings
from tests.components.convert.folders import LENIENT, dataset_of, examples
from tests.conftest import SHARED
from transform_module.errors import UserError

FOUND = SHARED / "found"
ORDINARY = DatasetSettings(shards=1)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not FOUND.is_dir(), reason="the found files are not on this machine (../shared/found)"
    ),
]


def converted(folder, tmp_path, settings=ORDINARY):
    dataset = dataset_of(FOUND / folder, tmp_path / "out", settings)
    return dataset, {each["filename"][0].decode() for each in examples(tmp_path / "out")}


@pytest.mark.parametrize(
    ("folder", "images", "skipped"),
    [
        (
            "02_kaggle_zip_as_unpacked/chest_xray",
            16,
            {"system file": 18, "second copy": 16},
        ),
        ("02_kaggle_zip_as_unpacked", 16, {"system file": 18, "second copy": 16}),
        ("05_split_called_valid", 18, {}),
        ("06_masks_learnt_as_pictures", 12, {"mask or annotation": 12}),
        ("07_report_txt_beside_each_picture", 6, {"text or document": 6}),
        ("07_wsl_zone_identifier", 6, {"system file": 6}),
        ("08_synology_thumbnails", 20, {"system file": 24}),
        ("08_trash_folder", 20, {"in a trash folder": 8}),
    ],
)
def test_a_folder_is_converted_and_nothing_but_its_images(tmp_path, folder, images, skipped):
    dataset, names = converted(folder, tmp_path)
    assert len(names) == images
    assert dataset.skipped_reasons == skipped
    assert sum(count.skipped for count in dataset.folders) == sum(skipped.values())
    assert not any(part in name for name in names for part in ("mask", "eaDir", "Trash", "MACOSX"))
    assert sum(dataset.quarantine_reasons.values()) == 0


@pytest.mark.parametrize("folder", ["", "/chest_xray"])
def test_the_archive_keeps_its_test_set_from_the_folder_and_from_its_parent(tmp_path, folder):
    dataset, names = converted(f"02_kaggle_zip_as_unpacked{folder}", tmp_path)
    assert dataset.images("test") == 6
    assert {name.removeprefix("chest_xray/").count("/") for name in names} == {2}


def test_what_was_skipped_as_masks_is_said_with_examples(tmp_path):
    dataset, _ = converted("06_masks_learnt_as_pictures", tmp_path)
    (said,) = [each for each in dataset.layout_warnings if "Masks" in each]
    assert said.startswith("Masks or annotations were skipped: 12, such as NORMAL/masks/")


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("04_classes_four", "train/COVID19 (4), train/NORMAL (4), train/PNEUMONIA (4)"),
        ("04_classes_four", "Class folders are named NORMAL and PNEUMONIA"),
        ("04_classes_four", "Folders that may be classes: COVID19, TURBERCULOSIS. Rename them to"),
        (
            "04_classes_four",
            "--classes '{NORMAL: [], PNEUMONIA: [COVID19], LEFT_OUT: [TURBERCULOSIS]}' (in a "
            "configuration, dataset.classes).",
        ),
        ("04_classes_0_1", "Below train, val, test: 0, 1. Folders that may be classes: 0, 1. Re"),
        ("04_classes_0_1", """--classes '{NORMAL: ["0"], PNEUMONIA: ["1"]}' (in a configuration"""),
        ("03_csv", "If a table has the labels, name it: --labels TABLE"),
    ],
)
def test_a_folder_of_other_classes_is_refused_with_what_was_found(tmp_path, folder, message):
    with pytest.raises(UserError) as refusal:
        converted(folder, tmp_path)
    assert message in str(refusal.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("table", ["nih.csv", "semicolon.csv", "latin1.csv"])
def test_a_table_of_labels_is_converted(tmp_path, table):
    settings = DatasetSettings(shards=1, labels=str(FOUND / "03_csv" / table))
    dataset, names = converted("03_csv", tmp_path, settings)
    assert len(names) == 16
    assert dataset.skipped_reasons == {"text or document": 12}
    assert dataset.patients.known == 16
    assert not any("class folders" in each for each in dataset.layout_warnings)


def test_a_table_of_images_that_were_not_downloaded_is_refused_with_their_number(tmp_path):
    settings = DatasetSettings(shards=1, labels=str(FOUND / "03_csv" / "partial_download.csv"))
    with pytest.raises(UserError, match=r"listed in the table, and not there \(41, such as"):
        converted("03_csv", tmp_path, settings)
    dataset, names = converted("03_csv", tmp_path, settings.model_copy(update={"max_bad": 1.0}))
    assert len(names) == 16
    assert dataset.quarantine_reasons == {"listed in the table, and not there": 41}


@pytest.mark.parametrize(
    ("folder", "classes", "subtypes", "skipped"),
    [
        ("04_classes_bacteria_virus", {}, {"normal": 4, "bacteria": 4, "virus": 4}, {}),
        (
            "04_classes_0_1",
            {"NORMAL": [0], "PNEUMONIA": [1]},
            {"normal": 10, "bacteria": 7, "virus": 3},
            {},
        ),
        (
            "04_classes_four",
            {"PNEUMONIA": ["COVID19"], "LEFT_OUT": ["TURBERCULOSIS"]},
            {"normal": 4, "covid19": 4, "bacteria": 3, "virus": 1},
            {"class that is left out": 4},
        ),
    ],
)
def test_classes_by_other_names_are_converted(tmp_path, folder, classes, subtypes, skipped):
    settings = DatasetSettings(shards=1, classes=classes)
    dataset, _ = converted(folder, tmp_path, settings)
    found = Counter()
    for each in dataset.splits:
        found[each.subtype] += each.images
    assert found == subtypes
    assert dataset.skipped_reasons == skipped


def test_the_names_of_nih_show_the_patients(tmp_path):
    for label in ("NORMAL", "PNEUMONIA"):
        (tmp_path / "images" / label).mkdir(parents=True)
    for number, file in enumerate(sorted((FOUND / "03_csv/images").glob("*.png"))):
        label = ("NORMAL", "PNEUMONIA")[number % 2]
        (tmp_path / "images" / label / file.name).symlink_to(file)
    dataset = dataset_of(tmp_path / "images", tmp_path / "out", ORDINARY)
    assert dataset.patients.sentence == (
        f"Patients known for {dataset.patients.images} of {dataset.patients.images} images "
        "(by the names of NIH ChestX-ray14)."
    )


@pytest.mark.parametrize("table", ["pat_one_only.csv", "pat_half.csv"])
def test_a_table_that_misses_images_is_refused(tmp_path, table):
    with (FOUND / "03_csv" / table).open(newline="") as file:
        listed = [row["path"] for row in csv.DictReader(file)]
    images = sorted((FOUND / "11_reencoded_copies_across_splits/test").rglob("*.jpeg"))
    for file, name in zip(images, [*listed, "test/normal/unlisted.jpeg"], strict=False):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).symlink_to(file)
    (tmp_path / "images/test/normal/IM-9999-0001.jpeg").symlink_to(images[-1])
    settings = ORDINARY.model_copy(update={"patients": str(FOUND / "03_csv" / table)})
    with pytest.raises(UserError, match=r"and misses .* --unlisted-patients alone"):
        dataset_of(tmp_path / "images", tmp_path / "out", settings)


def test_the_report_finds_copies_across_splits_and_a_shortcut_and_names_nobody(tmp_path):
    images = FOUND / "11_reencoded_copies_across_splits"
    found, refused = inspect(images, settings=ORDINARY, seed=7)
    assert refused is None
    copies, patients = found.survey.leaks
    assert (copies.kind, copies.folders, copies.groups, copies.images) == (
        "copies",
        "train, test",
        24,
        48,
    )
    assert (patients.kind, patients.groups, patients.images) == ("patients", 1, 1)
    # What both classes of the public dataset differ in, whatever the lungs show.
    strongest = found.survey.shortcuts[0]
    assert strongest.name == "file size"
    assert strongest.auc < 0.2
    sheet.write(found, images, tmp_path / "page.html")
    html = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert html.count("data:image/jpeg") == len(found.survey.examples)
    names = {path.stem for path in images.rglob("*") if path.is_file()}
    assert [name for name in names if name in html] == []


@pytest.mark.parametrize(
    ("folder", "kinds"),
    [
        ("13_black_8_of_16_bits", {("png", "grey", "8 of 16")}),
        ("15_monochrome1_one_class", {("png", "grey", "8")}),
    ],
)
def test_the_report_says_how_the_files_are_stored(folder, kinds):
    found, _ = inspect(FOUND / folder, settings=LENIENT, seed=7)
    assert {(each.format, each.colours, each.bits) for each in found.survey.kinds} == kinds
