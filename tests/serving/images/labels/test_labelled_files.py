from dataclasses import replace

import pytest

from serving.images.labels.labelled_files import labelled_files
from serving.images.settings import DatasetSettings
from tests.components.convert.folders import fill
from tests.conftest import SHARED
from tests.object_store import new_place
from tests.s3_store import BUCKET
from tests.serving.images.labels.known.miniatures import MINIATURES
from transform_module.errors import NothingValid, UserError
from transform_module.files.store_path import StorePath

TABLES = SHARED / "found" / "03_csv"


@pytest.fixture
def files(tmp_path):
    def of(text, paths, **settings):
        table = tmp_path / "labels.csv"
        table.write_text(text)
        images = fill(tmp_path / "images", dict.fromkeys(paths, b"1"))
        chosen = DatasetSettings(labels=str(table), **settings)
        return {file.filename: file for file in labelled_files(images, chosen)}

    return of


def test_a_table_labels_files_in_any_folder(files):
    found = files(
        "path,label,patient,subtype\na.png,0,7,\nb.png,1,8,virus\n", ["x/a.png", "NORMAL/b.png"]
    )
    one, other = found["x/a.png"], found["NORMAL/b.png"]
    assert (one.label, one.folder, one.patient, one.line) == ("NORMAL", "", "7", 2)
    assert (other.label, other.subtype, other.patient) == ("PNEUMONIA", "virus", "8")
    assert one.readable
    assert one.skipped is None
    assert one.problem is None


def test_files_that_are_not_listed_are_skipped_and_rows_without_a_file_are_problems(files):
    found = files(
        "path,label\na.png,0\ngone.png,1\nleft.png,-1\n", ["a.png", "b.png", "Thumbs.db", "t.csv"]
    )
    assert {name: file.skipped for name, file in found.items() if file.skipped} == {
        "b.png": "not in the table of labels",
        "Thumbs.db": "system file",
        "t.csv": "text or document",
    }
    gone = found["gone.png"]
    assert (gone.label, gone.readable) == ("PNEUMONIA", False)
    assert gone.problem == "listed in the table, and not there"
    assert len(found) == 5


def test_what_is_left_out_is_skipped_with_its_reason(files):
    found = files("path,label\na.png,0\nb.png,-1\n", ["a.png", "b.png"])
    assert (found["b.png"].skipped, found["b.png"].label) == ("uncertain label", "")


def test_a_column_of_splits_goes_before_folders_and_without_one_folders_count(files):
    paths = ["train/a.png", "x/test/b.png"]
    assert [file.folder for file in files("path,label\na.png,0\nb.png,1\n", paths).values()] == [
        "train",
        "test",
    ]
    with_splits = "path,label,split\na.png,0,test\nb.png,1,\n"
    assert [file.folder for file in files(with_splits, paths).values()] == ["test", ""]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\ngone.png,0\n", "None of the 1 images .* received gone.png, .*such as, a.png"),
        ("path,label\na.png,-1\n", "lists no image of NORMAL or PNEUMONIA .*uncertain label"),
    ],
)
def test_a_table_of_none_of_the_images_is_refused(files, text, message):
    with pytest.raises(NothingValid, match=message):
        files(text, ["a.png"])


def test_without_a_table_folders_label(tmp_path):
    (file,) = labelled_files(fill(tmp_path, {"NORMAL/a.png": b"1"}), DatasetSettings())
    assert (file.label, file.line) == ("NORMAL", 0)


def test_the_layout_of_kermany_is_that_of_its_folders(tmp_path):
    paths = (
        "chest_xray/train/NORMAL/IM-0115-0001.jpeg",
        "chest_xray/train/PNEUMONIA/person1_bacteria_1.jpeg",
        "chest_xray/test/PNEUMONIA/person1_virus_6.jpeg",
    )
    images = fill(tmp_path, dict.fromkeys(paths, b"1"))
    files = labelled_files(images, DatasetSettings(layout="kermany"))
    assert [(file.label, file.folder) for file in files] == [
        ("PNEUMONIA", "test"),
        ("NORMAL", "train"),
        ("PNEUMONIA", "train"),
    ]


@pytest.mark.parametrize("settings", [{"layout": "nih"}, {"labels": "Data_Entry_2017.csv"}])
@pytest.mark.parametrize("scheme", ["ram", "s3"])
def test_a_folder_in_a_store_is_labelled_as_a_local_one(tmp_path, store, scheme, settings):
    made = MINIATURES["nih"]().files(lambda _: b"1")
    place = new_place()
    images = StorePath(place if scheme == "ram" else place.replace("ram://", f"s3://{BUCKET}/"))
    for name, content in made.items():
        with (images / name).open("wb") as file:
            file.write(content)
    found = []
    for folder in (fill(tmp_path, made), images):
        given = dict(settings)
        if "labels" in given:
            given["labels"] = f"{folder}/{given['labels']}"
        files = labelled_files(folder, DatasetSettings(**given))
        found.append([replace(file, mtime_ns=0) for file in files])
    assert found[0] == found[1]


@pytest.mark.skipif(not TABLES.is_dir(), reason="../shared/found is not on this machine")
class TestFound:
    """Tables that people really have."""

    def labels(self, table, images=TABLES, **settings):
        settings = DatasetSettings(labels=str(TABLES / table), **settings)
        files = [file for file in labelled_files(images, settings) if not file.skipped]
        there = [file.label for file in files if not file.problem]
        return there.count("NORMAL"), there.count("PNEUMONIA"), len(files) - len(there)

    @pytest.mark.parametrize(
        "table",
        [
            "bom_crlf.csv",
            "latin1.csv",
            "nih.csv",
            "semicolon.csv",
            "spaces.csv",
            "truefalse.csv",
            "twice.csv",
        ],
    )
    @pytest.mark.parametrize("images", ["", "images"])
    def test_all_images_are_labelled(self, table, images):
        assert self.labels(table, TABLES / images) == (8, 8, 0)

    def test_rows_that_were_not_downloaded_are_counted(self):
        assert self.labels("partial_download.csv") == (8, 8, 41)

    def test_a_table_of_chexpert_labels_its_folders(self, tmp_path):
        rows = (TABLES / "chexpert.csv").read_text().splitlines()[1:]
        fill(tmp_path, {row.split(",")[0]: b"1" for row in rows})
        for images in (tmp_path, tmp_path / "CheXpert-v1.0-small"):
            assert self.labels("chexpert.csv", images) == (7, 8, 0)
            assert self.labels("chexpert.csv", images, uncertain="positive") == (7, 9, 0)

    def test_a_table_of_rsna_is_read_by_its_layout(self):
        assert self.labels("rsna.csv", layout="rsna") == (8, 8, 0)

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            (
                "rsna.csv",
                "has no column path.*It has: patientId, x, y, width, height, Ta.*rsna",
            ),
            ("pat_half.csv", "has no column label"),
        ],
    )
    def test_a_table_without_paths_or_labels_is_refused(self, table, message):
        with pytest.raises(UserError, match=message):
            self.labels(table)
