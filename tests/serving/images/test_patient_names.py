import csv
from collections import defaultdict

import pytest

from serving.images.patient_names import KERMANY, Named, by_names, known_patient
from serving.images.patients import subtype


def found(*paths, label="NORMAL"):
    return [patient and patient.id for patient in by_names([Named(label, path) for path in paths])]


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("person100_bacteria_475.jpeg", "bacteria-100"),
        ("PERSON100_VIRUS_475.JPG", "virus-100"),
        ("IM-0115-0001.jpeg", "normal-0115"),
        ("NORMAL2-IM-0927-0001.jpeg", "normal2-0927"),
        ("NORMAL2-IM-0927-0001-0002.jpeg", "normal2-0927"),
        ("scan-0115.jpeg", None),
        ("my_person100_bacteria_475.jpeg", None),
    ],
)
def test_the_names_of_the_public_dataset_show_the_patient(name, patient):
    assert known_patient(name) == patient


def test_the_patients_of_the_public_dataset_are_those_of_its_manifest(chest_xray):
    ours, theirs = defaultdict(set), defaultdict(set)
    with (chest_xray / "MANIFEST.csv").open() as file:
        for row in csv.DictReader(file):
            name = row["path"].rsplit("/", 1)[1]
            ours[known_patient(name)].add(name)
            theirs[row["patient_key"]].add(name)
            assert subtype(row["label"], name) == row["subtype"]
    assert sorted(map(sorted, ours.values())) == sorted(map(sorted, theirs.values()))


@pytest.mark.parametrize(
    ("names", "patients"),
    [
        (
            ["BACTERIA-1351146-0001.jpeg", "b/bacteria-1351146-0002.png", "VIRUS-7422-0001.jpeg"],
            ["kermany-1351146", "kermany-1351146", "kermany-7422"],
        ),
        (["NORMAL-28501-0001.jpeg"], ["kermany-28501"]),
        (
            ["00000013_005.png", "00000013_026.png", "00030805_000.png"],
            ["nih-00000013", "nih-00000013", "nih-00030805"],
        ),
        (
            ["patient00001/study1/view1_frontal.jpg", "patient00001/study2/view2_lateral.jpg"],
            ["chexpert-patient00001"] * 2,
        ),
        (["patient00002_study1_view1_frontal.jpg"], ["chexpert-patient00002"]),
        (
            ["p10/p10000032/s50414267/02aa.jpg", "p10/p10000032/s53189527/2a2277.jpg"],
            ["mimic-p10000032"] * 2,
        ),
        (["p10000032_s50414267_02aa.jpg"], ["mimic-p10000032"]),
        (
            ["p10/p10000032/s50414267/000434271f63a053c4128a0ba6352c7f.jpg"],
            ["mimic-p10000032"],
        ),
        (
            ["20536686640136348236148679891455886468_k6ga29.png"],
            ["padchest-" + "20536686640136348236148679891455886468"],
        ),
        (
            ["0004cfab-14fd-4e49-80ba-63a80b6bddd6.png"],
            ["uuid-0004cfab-14fd-4e49-80ba-63a80b6bddd6"],
        ),
        (["000434271f63a053c4128a0ba6352c7f.png"], ["hash-000434271f63a053c4128a0ba6352c7f"]),
    ],
)
def test_the_names_of_other_datasets_are_known(names, patients):
    assert found(*names) == patients


@pytest.mark.parametrize(
    "name",
    [
        "20536686640136348236148679891455886468_k6ga29.png",
        "0004cfab-14fd-4e49-80ba-63a80b6bddd6.png",
        "000434271f63a053c4128a0ba6352c7f.png",
    ],
)
def test_a_name_of_a_study_or_an_image_is_not_a_patient(name):
    (named,) = by_names([Named("NORMAL", name)])
    assert not named.is_patient


@pytest.mark.parametrize(
    "name",
    [
        "20200131_001.png",
        "00099999_000.png",
        "0000013_005.png",
        "patient1/view1.png",
        "NORMAL-20200131-0001.png",
        "Normal-101.png",
    ],
)
def test_dates_and_other_numbers_are_not_patients(name):
    assert found(name, name.replace("1.", "2.")) == [None, None]


def test_a_convention_is_taken_only_where_nearly_all_of_a_class_follow_it():
    nih = [f"{number:08d}_000.png" for number in range(19)]
    assert found(*nih, "scan.png")[:2] == ["nih-00000000", "nih-00000001"]
    assert found(*nih[:-1], "scan.png", "other.png") == [None] * 20


def test_each_class_may_come_from_another_dataset():
    files = [Named("NORMAL", "00000013_005.png"), Named("PNEUMONIA", "person1_virus_6.jpeg")]
    assert [each.known_by for each in by_names(files)] == ["the names of NIH ChestX-ray14", KERMANY]


def test_a_name_of_osirix_in_several_folders_is_not_one_patient():
    assert found("anna/IM-0001-0001.jpg", "ben/IM-0001-0001.jpg") == [None, None]
    assert found("IM-0001-0001.jpg", "IM-0001-0002.jpg") == ["normal-0001"] * 2
