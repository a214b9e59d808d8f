from pathlib import Path

from components.synthetic.generate import SyntheticSet
from pipeline.cli.output.data_tables import (
    print_dataset,
    print_predictions,
    print_summary,
    print_synthetic,
)
from serving.images.dataset import Finding, PatientsKnown
from serving.predict.files import FilePrediction
from serving.predict.many.job import Summary
from tests.pipeline import records
from tests.pipeline.printed import cells, tables

PREDICTIONS = [
    FilePrediction("a/[b]/one.png", 0.98765, "PNEUMONIA", True),
    FilePrediction("a/two, really.png", None, "INVALID", False, "truncated [red]JPEG[/red]"),
]


def test_a_dataset_shows_where_every_file_went(printed):
    print_dataset(records.DATASET, Path("/out"))
    text = printed()
    counts = ["1,341", "1,072", "260", "0", "5", "1", "3"]
    assert tables(text)[0][1].split() == ["train", "NORMAL", *counts]
    assert cells(text, "total")[1:] == counts


def test_a_dataset_shows_what_its_splits_hold_in_their_order(printed):
    print_dataset(records.DATASET, Path("/out"))
    assert [line.split() for line in tables(printed())[1][1:]] == [
        ["train", "NORMAL", "normal", "1,072", "1,000"],
        ["eval", "NORMAL", "normal", "260", "240"],
    ]


def test_a_dataset_shows_why_files_were_kept_out(printed):
    print_dataset(records.DATASET, Path("/out"))
    text = printed()
    assert cells(text, "truncated") == ["truncated", "JPEG", "5"]
    assert "Each file with its reason: /out/quarantine.csv\n" in text
    assert "2 patients found in test too" in text
    assert "The split test holds no PNEUMONIA." in text
    assert f"Fingerprint {'f' * 16}, written to /out\n" in text


def test_a_clean_dataset_shows_of_no_quarantine(printed):
    print_dataset(records.DATASET.model_copy(update={"quarantine_reasons": {}}), Path("/out"))
    assert "quarantine.csv" not in printed()


def test_a_dataset_shows_what_is_doubtful_in_its_images(printed):
    finding = Finding(kind="unlike", images=1, message="One is unlike.", examples=("a/[b].png",))
    print_dataset(records.DATASET.model_copy(update={"findings": (finding,)}), Path("/out"))
    assert "\nOne is unlike. Such as: a/[b].png\n" in printed()


def test_a_synthetic_set_shows_its_images_and_what_is_broken(printed):
    images = {"train": {"NORMAL": 1000, "PNEUMONIA": 20}, "test": {"NORMAL": 3}}
    print_synthetic(SyntheticSet(images, 400, {"train/x[1].jpeg": "text file"}), Path("/out"))
    text = printed()
    assert cells(text, "train") == ["train", "1,000", "20"]
    assert cells(text, "test") == ["test", "3", "0"]
    assert "400 patients, and 1 file broken on purpose:\n  train/x[1].jpeg: text file\n" in text
    assert text.endswith("\nNext: cxr run --images /out --config demo\n")


def test_each_file_is_one_line_with_its_prediction_or_the_reason(printed):
    print_predictions(PREDICTIONS)
    assert [line.split() for line in printed().splitlines()[1:]] == [
        ["a/[b]/one.png", "0.9877", "PNEUMONIA"],
        ["a/two,", "really.png", "-", "INVALID", "truncated", "[red]JPEG[/red]"],
        ["1", "of", "2", "files", "is", "not", "a", "readable", "image."],
    ]


def test_good_files_alone_are_not_counted_as_bad(printed):
    print_predictions(PREDICTIONS[:1])
    assert len(printed().splitlines()) == 2


def test_an_image_unlike_the_training_is_reported(printed):
    print_predictions(
        [
            FilePrediction("a.png", 0.5, "NORMAL", True, in_domain=True, triage="NORMAL"),
            FilePrediction("b.png", 0.5, "NORMAL", True, in_domain=False, triage="REVIEW"),
        ]
    )
    text = printed()
    assert cells(text, "a.png") == ["a.png", "0.5000", "NORMAL", "NORMAL", "yes"]
    assert cells(text, "b.png") == ["b.png", "0.5000", "NORMAL", "REVIEW", "no"]
    assert "1 of 2 images are out of domain, unlike the training data" in text


def test_a_long_path_in_a_pipe_stays_on_its_line(printed):
    path = "x" * 500
    print_predictions([FilePrediction(path, 0.5, "NORMAL", True)])
    assert cells(printed(), path) == [path, "0.5000", "NORMAL"]


def test_a_summary_shows_the_counts_and_the_table(printed):
    print_summary(Summary(1968, 1960, 8, 1024, (), 12, 40), Path("/[out]/predictions.csv"))
    header, counts, where = printed().splitlines()
    columns = ("images", "valid", "invalid", "out", "of", "domain", "review", "resumed")
    assert header.split() == [*columns]
    assert counts.split() == ["1,968", "1,960", "8", "12", "40", "1,024"]
    assert where == "Predictions: /[out]/predictions.csv"


def test_a_summary_shows_of_each_damaged_file(printed):
    damaged = ("a[1].gz is damaged.", "b.gz is damaged.")
    print_summary(Summary(2, 2, 0, 0, damaged), Path("/out.csv"))
    assert tuple(printed().splitlines()[2:4]) == damaged


def test_a_dataset_shows_what_was_skipped_and_whose_images_are_known(printed):
    dataset = records.DATASET.model_copy(
        update={
            "skipped_reasons": {"system file": 1200, "mask or annotation": 3},
            "patients": PatientsKnown(images=9, known=7, by={"the table": 7}),
            "layout_warnings": ("Masks [or] so.",),
        }
    )
    print_dataset(dataset, Path("/out"))
    lines = printed().splitlines()
    assert "Skipped: system file 1,200, mask or annotation 3." in lines
    assert "Patients known for 7 of 9 images (by the table)." in lines
    assert "Masks [or] so." in lines
