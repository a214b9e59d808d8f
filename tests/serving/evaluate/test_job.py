import csv
import json
import shutil

import pytest

from serving.analysis import findings as contract
from serving.evaluate import writing
from serving.evaluate.job import evaluate
from serving.images.settings import DatasetSettings
from tests.conftest import SHARED
from tests.serving.saved import write_manifest
from transform_module import contract as features
from transform_module.errors import NothingValid, UserError


@pytest.fixture
def former(version, tmp_path):
    """A model that is called another one."""
    return write_manifest(shutil.copytree(version, tmp_path / "former" / "16"))


def test_a_folder_is_evaluated(former, images, tmp_path):
    out = tmp_path / "new" / "out"
    evaluated = evaluate(former.parent, images, out)
    found = contract.read(out / contract.FINDINGS)
    assert found.model == "former/16"
    assert found.data == f"{tmp_path.name}/images"
    assert (found.images, found.invalid, found.threshold) == (8, 0, 0.5)
    # Of 16 pairs one is out of order: 140 is above 120.
    assert found.overall.auc.value == pytest.approx(15 / 16)
    assert found.overall.patients == 6
    assert [each.path for each in found.misses] == [
        "NORMAL/x.png",
        "PNEUMONIA/person3_bacteria_4.png",
    ]
    assert {each.images for each in found.corruptions} == {8}
    assert evaluated.refused == []
    assert {path.name for path in out.iterdir()} == {
        *(
            contract.FINDINGS,
            writing.IMAGES,
            writing.SLICES,
            writing.SHIFTS,
            writing.CORRUPTIONS,
            writing.PAGE,
        )
    }


def test_a_table_is_evaluated_by_its_columns(version, images, tmp_path):
    names = [path.relative_to(images) for path in sorted(images.rglob("*.png"))]
    lines = [f"{name},{name.parts[0]},{'AB'[number % 2]}" for number, name in enumerate(names)]
    (images / "labels.csv").write_text("path,label,site\n" + "\n".join(lines))
    found = evaluate(
        version, images / "labels.csv", tmp_path / "out", slices=["site"], corruptions=False
    ).findings
    assert [(each.name, each.images) for each in found.slices["site"]] == [("A", 4), ("B", 4)]
    assert found.corruptions == []


def test_models_are_compared(version, former, images, tmp_path):
    found = evaluate(
        version, images, tmp_path / "out", against=former.parent, corruptions=False
    ).findings
    assert found.comparison.against == "former/16"
    assert found.comparison.auc.value == 0


def test_broken_images_are_counted_and_listed(version, images, tmp_path):
    (images / "NORMAL" / "a.png").write_bytes(b"text")
    evaluated = evaluate(version, images, tmp_path / "out", corruptions=False)
    assert (evaluated.findings.images, evaluated.findings.invalid) == (9, 1)
    assert evaluated.refused == [("NORMAL/a.png", "text file")]


def test_a_table_of_which_most_files_are_missing_is_evaluated(version, images, tmp_path):
    names = [path.relative_to(images) for path in sorted(images.rglob("*.png"))]
    rows = [f"gone/{number}.png,NORMAL" for number in range(70)]
    rows += [f"{name},{name.parts[0]}" for name in names]
    (images / "labels.csv").write_text("path,label\n" + "\n".join(rows))
    evaluated = evaluate(version, images / "labels.csv", tmp_path / "out", corruptions=False)
    assert (evaluated.findings.images, evaluated.findings.invalid) == (78, 70)
    assert {reason for _, reason in evaluated.refused} == {
        "cannot be opened: no such file or directory"
    }


def test_where_no_image_can_be_used_the_reasons_are_left(version, former, images, tmp_path):
    out = tmp_path / "out"
    evaluate(version, images, out, corruptions=False)
    (images / "labels.csv").write_text("path,label\na.png,0\nb\x1b.png,1\n")
    with pytest.raises(NothingValid) as refusal:
        evaluate(version, images / "labels.csv", out, against=former)
    message = str(refusal.value)
    assert "None of the 2 images of" in message
    assert "cannot be opened: no such file or directory (2)" in message
    assert "paths relative to the table's folder" in message
    assert [path.name for path in out.iterdir()] == [writing.IMAGES]
    with (out / writing.IMAGES).open(newline="") as file:
        rows = [(row["path"], row["predicted"], row["reason"]) for row in csv.DictReader(file)]
    why = "cannot be opened: no such file or directory"
    assert rows == [("a.png", "INVALID", why), (r"b\x1b.png", "INVALID", why)]


@pytest.mark.parametrize("text", ["path,label\n", "path,label", ""])
def test_a_table_without_rows_has_nothing_to_use(version, tmp_path, text):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(NothingValid, match=r"holds no row|is empty"):
        evaluate(version, tmp_path / "labels.csv", tmp_path / "out")


def test_a_folder_without_images_has_nothing_to_use(version, tmp_path):
    (tmp_path / "images/NORMAL").mkdir(parents=True)
    with pytest.raises(NothingValid, match="holds no images in class folders"):
        evaluate(version, tmp_path / "images", tmp_path / "out")


def test_a_download_that_is_not_complete_is_evaluated(version, tmp_path):
    table = SHARED / "found/03_csv/partial_download.csv"
    if not table.exists():
        pytest.skip("the found files are not on this machine (../shared/found)")
    evaluated = evaluate(version, table, tmp_path / "out", corruptions=False)
    assert (evaluated.findings.images, evaluated.findings.invalid) == (57, 41)


def test_masks_and_documents_in_a_folder_are_left_aside(version, images, tmp_path):
    for name in ("masks/x.png", "x.txt", "@eaDir/x.png"):
        (images / "NORMAL" / name).parent.mkdir(exist_ok=True)
        (images / "NORMAL" / name).write_bytes(b"text")
    found = evaluate(version, images, tmp_path / "out", corruptions=False).findings
    assert (found.images, found.invalid) == (8, 0)
    assert sorted(found.notes) == [
        "Files skipped (mask or annotation): 1.",
        "Files skipped (system file): 1.",
        "Files skipped (text or document): 1.",
    ]


def test_statistics_of_the_training_show_the_drift(former, images, tmp_path):
    known = {"border": {"edges": [100.0], "shares": [0.0, 1.0], "mean": 200.0}}
    path = former / features.TRAINING_STATISTICS
    path.write_text(json.dumps(known))
    write_manifest(former)
    (drift,) = evaluate(former, images, tmp_path / "out", corruptions=False).findings.drift
    assert (drift.name, drift.trained, drift.here) == ("border", 200.0, pytest.approx(136.25))
    path.write_text('{"border": 1}')
    write_manifest(former)
    refuse("holds no statistics", former, images, tmp_path / "out", corruptions=False)


def refuse(match, *arguments, **options):
    with pytest.raises(UserError, match=match):
        evaluate(*arguments, **options)


def test_mistakes_are_reported_before_the_model_is_loaded(
    version, former, images, tmp_path, monkeypatch
):
    monkeypatch.setattr("serving.evaluate.job.Model", None)
    out = tmp_path / "out"
    refuse("No model at", tmp_path / "no", images, out)
    refuse("No model at", version, images, out, against=tmp_path / "no")
    refuse("compared with itself", former, images, out, against=former.parent)
    refuse("There is no .*nowhere", version, tmp_path / "nowhere", out)
    refuse("no column site to slice by", version, images, out, slices=["site"])
    table = images / "labels.csv"
    table.write_text("path,label\nNORMAL/x.png,0\n")
    settings = DatasetSettings(patient_pattern="(.)")
    refuse("Leave --patients and --patient-pattern out", version, table, out, settings=settings)
    assert not out.exists()
    out.write_text("")
    refuse("cannot be made", version, images, out)


def test_images_of_one_class_are_refused(version, images, tmp_path):
    shutil.rmtree(images / "PNEUMONIA")
    refuse("none of them shows PNEUMONIA", version, images, tmp_path / "out")


def test_nothing_that_can_be_predicted_is_refused(version, images, tmp_path):
    for path in images.rglob("*.png"):
        path.write_bytes(b"text")
    refuse(
        r"None of the 8 images of .* can be used: text file \(8\)",
        version,
        images,
        tmp_path / "out",
    )


def test_a_model_without_a_threshold_is_refused(former, images, tmp_path):
    (former / features.MODEL_RECORD).write_text(json.dumps({"labels": features.LABELS}))
    write_manifest(former)
    refuse("has no operating threshold", former, images, tmp_path / "out")
