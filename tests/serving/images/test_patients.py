import pytest

from serving.images.patients import patient_finder, subtype
from serving.images.settings import DatasetSettings
from tests.components.convert.folders import source
from transform_module.errors import UserError

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
    ("label", "name", "expected"),
    [
        ("NORMAL", "person1_virus_1.jpeg", "normal"),
        ("PNEUMONIA", "person1_virus_1.jpeg", "virus"),
        ("PNEUMONIA", "Person1_Bacteria_1.jpeg", "bacteria"),
        ("PNEUMONIA", "BACTERIA-1351146-0002.jpeg", "bacteria"),
        ("PNEUMONIA", "VIRUS-7422-0001.jpeg", "virus"),
        ("NORMAL", "NORMAL-28501-0001.jpeg", "normal"),
        ("PNEUMONIA", "scan.jpeg", "unknown"),
    ],
)
def test_the_subtype_is_reported_by_class_and_name(label, name, expected):
    assert subtype(label, name) == expected


def test_other_names_show_no_patient():
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
    assert found(patients=path, unlisted_patients="alone")[2] == "anna"


def test_a_table_with_the_paths_of_windows_is_read(table):
    path = table(
        "path,patient\ntrain\\PNEUMONIA\\p8_a.png,anna\n./train/PNEUMONIA/ward/p7_a.png,b\n"
    )
    assert found(patients=path, unlisted_patients="alone") == ["bacteria-100", "b", "anna"]


def test_a_table_that_misses_files_is_refused(table):
    path = table("path,patient\ntrain/PNEUMONIA/p8_a.png,anna\n")
    with pytest.raises(UserError) as refusal:
        found(patients=path)
    assert "names 1 of 3 images, and misses 2, such as train/PNEUMONIA/person100_" in str(
        refusal.value
    )
    assert "--unlisted-patients alone" in str(refusal.value)


def test_files_that_a_table_misses_go_by_their_names_where_that_is_allowed(table):
    path = table("path,patient\ntrain/PNEUMONIA/p8_a.png,anna\n")
    settings = DatasetSettings(patients=path, unlisted_patients="alone")
    patients = patient_finder(settings, FILES)
    assert [patients(file) for file in FILES] == ["bacteria-100", None, "anna"]
    assert patients.notes == (
        "The table of patients misses 2 of 3 images, such as "
        "train/PNEUMONIA/person100_bacteria_475.jpeg, train/PNEUMONIA/ward/p7_a.png.",
    )


def test_rows_that_name_no_file_are_reported(table):
    path = table(
        "path,patient\n"
        + "".join(f"{file.filename},anna\n" for file in FILES)
        + "train/PNEUMONIA/gone.png,ben\n"
    )
    (note,) = patient_finder(DatasetSettings(patients=path), FILES).notes
    assert note == (
        "1 of 4 rows of the table of patients name no image, such as train/PNEUMONIA/gone.png."
    )


def test_a_table_may_name_files_from_the_folder_that_holds_the_classes(table):
    file = source("archive/train/NORMAL/a.png", "train", "NORMAL", depth=3)
    path = table("path,patient\ntrain/NORMAL/a.png,anna\n")
    assert patient_finder(DatasetSettings(patients=path), [file])(file) == "anna"


def test_it_is_counted_what_shows_the_patients(table):
    path = table("path,patient\ntrain/PNEUMONIA/p8_a.png,anna\n")
    settings = DatasetSettings(patients=path, unlisted_patients="alone")
    known = patient_finder(settings, FILES).known(FILES)
    assert (known.images, known.known) == (3, 2)
    assert known.by == {"the table": 1, "the names of Kermany et al.": 1}
    assert known.sentence == (
        "Patients known for 2 of 3 images (by the names of Kermany et al.: 1, the table: 1)."
    )


def test_nothing_that_shows_the_patients_is_said():
    known = patient_finder(DatasetSettings(), FILES[1:]).known(FILES[1:])
    assert known.sentence == "Patients known for 0 of 2 images (by none)."


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,name\na,b\n", "has no column patient; it has: path, name"),
        ("", "has no column path and none patient; it has: none"),
        ("path,patient\nx.png,\n", "line 2: path and patient must both be filled"),
        ("path,patient\nx.png,a\nx.png,b\n", "line 3: x.png has two patients, a and b"),
        (
            "path,patient\nx.png,a\n",
            "names none of the images.*such as train/PNEUMONIA/person100",
        ),
    ],
)
def test_a_table_with_a_mistake_is_refused_in_words(table, text, said):
    with pytest.raises(UserError, match=said):
        found(patients=table(text))


def test_a_table_that_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match=r"table of patients .*absent.csv cannot be read"):
        found(patients=str(tmp_path / "absent.csv"))


def test_a_table_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "patients.csv").write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(UserError, match="cannot be read"):
        found(patients=str(tmp_path / "patients.csv"))


def test_a_pattern_that_fits_nothing_is_refused():
    with pytest.raises(UserError, match=r"'\(case\)' fits none of the 3 images, such as person100"):
        found(patient_pattern="(case)")
