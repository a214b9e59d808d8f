from pathlib import Path

from pipeline.run.preflight.data_counts import counted, lines
from serving.images.dataset import PatientsKnown, SplitCount
from tests.pipeline import records

DATASET = records.DATASET.model_copy(
    update={
        "splits": (
            *records.DATASET.splits,
            SplitCount(split="train", label="PNEUMONIA", subtype="virus", images=5, patients=4),
            SplitCount(split="train", label="PNEUMONIA", subtype="bacteria", images=7, patients=6),
        ),
        "patients": PatientsKnown(images=1344, known=1300, by={"a table": 1300}),
        "skipped_reasons": {"system file": 1},
    }
)


def test_images_are_counted_by_split_and_label():
    data = counted(DATASET)
    assert data.splits["train"] == {"NORMAL": 1072, "PNEUMONIA": 12}
    assert data.splits["eval"] == {"NORMAL": 260, "PNEUMONIA": 0}
    assert data.splits["test"] == {"NORMAL": 0, "PNEUMONIA": 0}
    assert data.images == 1344
    assert (data.patients_known, data.patients_of) == (1300, 1344)
    assert (data.quarantined, data.skipped, data.dropped) == (5, 1, 3)


def test_a_dataset_of_an_earlier_release_does_not_know_its_patients():
    assert counted(records.DATASET).patients_known is None
    assert not any("Patients" in line for line in lines(records.DATASET, Path("/r")))


def test_the_lines_say_what_there_is_and_what_was_kept_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = list(lines(DATASET, tmp_path / "root" / "dataset"))
    assert [line.split() for line in said[:4]] == [
        ["images", "NORMAL", "PNEUMONIA", "total"],
        ["train", "1,072", "12", "1,084"],
        ["eval", "260", "0", "260"],
        ["test", "0", "0", "0"],
    ]
    assert len({len(line) for line in said[:4]}) == 1
    assert "Patients known for 1,300 of 1,344 images (by a table)." in said
    assert "Quarantined 5 of 1,341 files; each with its reason: root/dataset/quarantine.csv" in said
    assert "Skipped 1 file: system file 1." in said
    assert "Left out 3 images of patients who are in test." in said
    assert "The split test holds no NORMAL." in said


def test_a_clean_dataset_has_no_line_of_what_was_kept_out():
    (folder,) = DATASET.folders
    clean = folder.model_copy(update={"quarantined": 0, "skipped": 0, "dropped": 0})
    said = "\n".join(lines(DATASET.model_copy(update={"folders": (clean,)}), Path("/r")))
    assert not {"Quarantined", "Skipped", "Left"} & set(said.split())


def test_a_group_that_is_held_out_is_named():
    held = DATASET.model_copy(update={"hold_out": "subtype=virus"})
    assert "The split test is subtype=virus, held out on purpose." in lines(held, Path("/r"))
