import csv
from collections import defaultdict

import pytest

from components.errors import UserError
from components.images.patients import known_patient, patient_finder, subtype
from components.images.settings import DatasetSettings
from tests.components.images.folders import source

FILES = [
    source("train/PNEUMONIA/person100_bacteria_475.jpeg", "train"),
    source("train/PNEUMONIA/ward/p7_a.png", "train"),
    source("train/PNEUMONIA/p8_a.png", "train"),
]


def found(**settings):
    find = patient_finder(DatasetSettings(**settings), FILES)
    return [find(file) for file in FILES]


@pytest.fixture
def table(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "patients.csv"
        path.write_text(text, encoding=encoding)
        return str(path)

    return write


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
def test_the_names_of_the_public_dataset_tell_the_patient(name, patient):
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
    ("label", "name", "expected"),
    [
        ("NORMAL", "person1_virus_1.jpeg", "normal"),
        ("PNEUMONIA", "person1_virus_1.jpeg", "virus"),
        ("PNEUMONIA", "Person1_Bacteria_1.jpeg", "bacteria"),
        ("PNEUMONIA", "scan.jpeg", "unknown"),
    ],
)
def test_the_subtype_is_told_by_class_and_name(label, name, expected):
    assert subtype(label, name) == expected


def test_other_names_tell_no_patient():
    assert found() == ["bacteria-100", None, None]


@pytest.mark.parametrize("pattern", [r"(p\d+)_", r"(x)?(?P<patient>p\d+)_"])
def test_a_pattern_goes_before_the_known_names(pattern):
    assert found(patient_pattern=pattern) == ["bacteria-100", "p7", "p8"]


def test_a_pattern_sees_the_folders_below_the_class():
    assert found(patient_pattern=r"^(\w+)/|person(1)") == ["bacteria-100", "ward", None]


def test_a_table_goes_before_all(table):
    path = table(
        "patient,path,age\nanna,train/PNEUMONIA/p8_a.png,3\n"
        "ben,train/PNEUMONIA/person100_bacteria_475.jpeg,4\n"
    )
    assert found(patients=path, patient_pattern=r"(p\d+)_") == ["ben", "p7", "anna"]


def test_a_table_saved_by_a_spreadsheet_is_read(table):
    path = table("path,patient\r\ntrain/PNEUMONIA/p8_a.png, anna \r\n", "utf-8-sig")
    assert found(patients=path)[2] == "anna"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,name\na,b\n", r"lacks the column\(s\) patient; it has: path, name"),
        ("", r"lacks the column\(s\) path, patient; it has: none"),
        ("path,patient\nx.png,\n", "line 2: path and patient must both be filled"),
        ("path,patient\nx.png,a\nx.png,b\n", "line 3: x.png has two patients, a and b"),
        (
            "path,patient\nx.png,a\n",
            "names none of the pictures.*such as train/PNEUMONIA/person100",
        ),
    ],
)
def test_a_table_with_a_mistake_is_refused_in_words(table, text, said):
    with pytest.raises(UserError, match=said):
        found(patients=table(text))


def test_a_table_that_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match=r"table of patients .*absent.csv cannot be read"):
        found(patients=str(tmp_path / "absent.csv"))


def test_a_table_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "patients.csv").write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(UserError, match="cannot be read"):
        found(patients=str(tmp_path / "patients.csv"))


def test_a_pattern_that_fits_nothing_is_refused():
    with pytest.raises(
        UserError, match=r"'\(case\)' fits none of the 3 pictures, such as person100"
    ):
        found(patient_pattern="(case)")
