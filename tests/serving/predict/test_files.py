import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from serving.model import Prediction
from serving.predict import files as module
from serving.predict.files import FilePrediction, predict, predict_batch
from tests.archives import packed
from tests.dicom_files import dicom
from tests.images import encode, grey_pixels, png_of_16_bits
from tests.serving.images.encoding.samples import FILES
from transform_module.errors import UserError

GREYS = (255, 0, 204, 51)


def grey(value):
    return encode(np.full((40, 40), value, np.uint8), "png-grey")


@pytest.fixture
def images(tmp_path):
    """Four images, of which the first is in the last folder."""
    folder = tmp_path / "images"
    for name, value in zip(("d/1.png", "c/b/2.png", "c/3.png", "4.png"), GREYS, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(grey(value))
    return folder


def names(predictions, folder):
    return [os.path.relpath(each.path, folder) for each in predictions]


def test_a_file_is_predicted(version, images):
    (only,) = predict(version, [images / "4.png"])
    path = str(images / "4.png")
    assert only == FilePrediction(path, pytest.approx(0.2), "NORMAL", True, "")


def test_an_image_unlike_the_training_is_reported(tmp_path, images):
    from tests.serving.saved import save

    (images / "text.png").write_bytes(b"text")
    predictions = predict(save(tmp_path / "1", has_domain=True), [images])
    record = {Path(each.path).name: (each.in_domain, each.domain_distance) for each in predictions}
    assert record["1.png"] == (True, 1.0)
    assert record["2.png"] == (False, 3.0)
    assert record["text.png"] == (None, None)


def test_the_triage_of_each_image_is_reported(tmp_path, images, version):
    from tests.serving.saved import save

    (images / "text.png").write_bytes(b"text")
    (images / "5.png").write_bytes(grey(120))
    predictions = predict(save(tmp_path / "1", has_triage=True), [images])
    found = {Path(each.path).name: each.triage for each in predictions}
    assert found == {
        "1.png": "PNEUMONIA",
        "2.png": "REVIEW",
        "3.png": "PNEUMONIA",
        "4.png": "NORMAL",
        "5.png": "REVIEW",
        "text.png": None,
    }
    assert {each.triage for each in predict(version, [images])} == {None}


def test_the_latest_whole_version_predicts(version, images, tmp_path):
    from tests.serving.saved import write_manifest

    for name in ("17", "18"):
        write_manifest(shutil.copytree(version, tmp_path / "cxr" / name))
    (tmp_path / "cxr" / "18" / "saved_model.pb").write_bytes(b"damage")
    assert predict(tmp_path / "cxr", [images]) == predict(version, [images])


def test_a_folder_is_predicted_at_any_depth_by_name(version, images):
    predictions = predict(version, [images])
    assert names(predictions, images) == ["4.png", "c/3.png", "c/b/2.png", "d/1.png"]
    assert [round(each.probability, 1) for each in predictions] == [0.2, 0.8, 0.0, 1.0]


def test_the_order_of_the_paths_is_kept(version, images):
    given = [images / "d", images / "4.png", images / "c" / "3.png"]
    assert names(predict(version, given), images) == ["d/1.png", "4.png", "c/3.png"]


def test_a_file_that_is_given_twice_is_predicted_twice(version, images):
    assert len(predict(version, [images / "4.png"] * 2)) == 2


def test_system_files_in_folders_are_passed_over(version, images):
    for name in (".DS_Store", "Thumbs.db", "._4.png"):
        (images / name).write_bytes(b"system")
    assert len(predict(version, [images])) == 4


def reason(version, path):
    """Why the one file is not a readable image, and that it says nothing else."""
    (only,) = predict(version, [path])
    assert (only.probability, only.label, only.valid) == (None, "INVALID", False)
    return only.reason


def test_a_file_that_is_not_there_gets_a_row(version, tmp_path):
    assert reason(version, tmp_path / "no.png") == "cannot be opened: no such file or directory"


def test_a_link_that_leads_nowhere_gets_a_row(version, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link.png").symlink_to("nowhere")
    assert reason(version, tmp_path / "folder").startswith("cannot be opened")


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "empty"), (b"some text\n" * 9, "text file"), (grey(9)[:-30], "truncated")],
)
def test_a_broken_image_gets_a_row_with_the_reason(version, tmp_path, monkeypatch, content, why):
    invalid = [Prediction(0.5, "INVALID", False)]
    monkeypatch.setattr(module.Model, "predict", lambda self, images: invalid)
    (tmp_path / "x.png").write_bytes(content)
    assert why in reason(version, tmp_path / "x.png")


def test_what_only_the_model_cannot_decode_gets_a_row(version, tmp_path):
    (tmp_path / "x.jpeg").write_bytes(encode(np.full((40, 40), 9, np.uint8), "jpeg-grey"))
    assert reason(version, tmp_path / "x.jpeg") == "the model cannot decode it"


def test_a_pipe_gets_a_row_and_is_not_waited_for(version, tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert reason(version, tmp_path / "pipe.png") == "no regular file: a pipe, socket or device"


def test_a_file_too_large_for_memory_gets_a_row_and_is_not_read(version, tmp_path):
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    assert reason(version, tmp_path / "huge.png") == "too large: a file of more than 256 MiB"


def test_a_folder_named_like_an_image_is_a_folder(version, images):
    (images / "d").rename(images / "x.jpeg")
    assert names(predict(version, [images / "x.jpeg"]), images) == ["x.jpeg/1.png"]


def test_bad_files_do_not_touch_the_good_ones(version, images):
    (images / "a.png").write_bytes(b"text")
    (images / "c" / "0.png").symlink_to("nowhere")
    good = [each for each in predict(version, [images]) if each.valid]
    assert [round(each.probability, 1) for each in good] == [0.2, 0.8, 0.0, 1.0]


def test_a_link_to_a_folder_is_followed_but_not_back_into_itself(version, images, tmp_path):
    (images / "c" / "back").symlink_to(images)
    (images / "more").symlink_to(tmp_path / "more")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "5.png").write_bytes(grey(9))
    assert names(predict(version, [images]), images) == [
        "4.png",
        "c/3.png",
        "c/b/2.png",
        "d/1.png",
        "more/5.png",
    ]


def test_a_folder_that_cannot_be_opened_gets_a_row(version, images, monkeypatch):
    scandir = os.scandir

    def closed(path):
        if Path(path).name == "d":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    bad = [each for each in predict(version, [images]) if not each.valid]
    assert [(each.path, each.reason) for each in bad] == [
        (str(images / "d"), "folder that cannot be opened")
    ]


def test_a_name_that_is_not_text_is_shown_escaped(version, tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9.png"))
    path.write_bytes(grey(9))
    (only,) = predict(version, [path])
    assert only.path == f"{tmp_path}/\\xe9.png"


def batches(version, images, monkeypatch):
    sizes = []
    predict_images = module.Model.predict

    def counted(self, images):
        sizes.append(len(images))
        return predict_images(self, images)

    monkeypatch.setattr(module.Model, "predict", counted)
    predict(version, [images / "4.png"] * 70)
    return sizes


def test_batches_are_bounded_by_their_number_of_images(version, images, monkeypatch):
    assert batches(version, images, monkeypatch) == [32, 32, 6]


def test_batches_are_bounded_by_their_bytes(version, images, monkeypatch):
    size = (images / "4.png").stat().st_size
    monkeypatch.setattr(module, "_BATCH_BYTES", 20 * size)
    assert batches(version, images, monkeypatch) == [20, 20, 20, 10]


def test_no_batch_is_larger_but_an_image_that_is_itself(monkeypatch):
    monkeypatch.setattr(module, "_BATCH_BYTES", 100)
    sizes = (40, 60, 1, 99, 1, 500, 0, 50, 50, 1)
    contents = [(Path(str(size)), bytes(size)) for size in sizes] + [(Path("no"), "a reason" * 99)]
    found = [[len(content) for _, content in batch] for batch in module.batches(contents[:-1])]
    assert found == [[40, 60], [1, 99], [1], [500], [0, 50, 50], [1]]
    assert len(list(module.batches([contents[-1]] * 5))) == 1


def test_a_batch_comes_before_the_next_image_is_read():
    contents = iter([(Path("one"), b"x")] * 33)
    assert len(next(module.batches(contents))) == 32
    assert len(list(contents)) == 1


def test_a_model_that_returns_no_number_is_reported():
    def predictor(images):
        return [Prediction(float("nan"), "NORMAL", True)]

    with pytest.raises(UserError, match="nan, not a probability"):
        list(predict_batch(predictor, [(Path("x.png"), b"x")]))


def test_progress_is_reported_up_to_the_total(version, images):
    record = []
    predict(version, [images / "4.png"] * 40, progress=lambda *now: record.append(now))
    assert record == [(32, 40), (40, 40)]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("empty", "folder without files"),
        ("of the system", "folder without files"),
        ("no*.png", "no file matches this pattern"),
        ("no.png", "cannot be opened: no such file or directory"),
        ("link.png", "cannot be opened: no such file or directory"),
        ("a\0b.png", "no path: it has a character that no path can have"),
        ("x" * 300, "cannot be opened: file name too long"),
        ("gs:/bucket/a.png", "not a local file (gs): copy it to this machine first"),
        ("https:/host/a.png", "not a local file (https): copy it to this machine first"),
    ],
)
def test_a_path_that_means_no_file_gets_a_row(version, tmp_path, path, why):
    (tmp_path / "empty").mkdir()
    (tmp_path / "of the system/@eaDir").mkdir(parents=True)
    (tmp_path / "of the system/.DS_Store").touch()
    (tmp_path / "link.png").symlink_to("nowhere")
    assert reason(version, tmp_path / path) == why


def test_a_pattern_means_what_matches_it_by_name(version, images):
    predictions = predict(version, [images / "**" / "[123].png"])
    assert names(predictions, images) == ["c/3.png", "c/b/2.png", "d/1.png"]


def test_the_system_and_thumbnails_are_passed_over_in_folders(version, images):
    for name in ("@eaDir/4.png/x.png", ".Trash-1000/4.png", "thumbs/4.png", "__MACOSX/4.png"):
        (images / name).parent.mkdir(parents=True)
        (images / name).write_bytes(grey(9))
    (images / "4.png:Zone.Identifier").write_bytes(b"[ZoneTransfer]")
    assert len(predict(version, [images])) == 4


def test_a_batch_of_nothing_never_reaches_the_model(images):
    predicted_sizes = []

    def predictor(images):
        predicted_sizes.append(len(images))
        return [Prediction(0.5, "NORMAL", True)] * len(images)

    missing = [images / f"{number}.png" for number in range(90, 190)]
    predictions = module.predict_by(predictor, [*missing, images / "4.png"])
    assert predicted_sizes == [1]
    assert [each.valid for each in predictions] == [False] * 100 + [True]


def test_a_missing_model_is_reported_before_any_image_is_read(tmp_path):
    with pytest.raises(UserError, match="No model at"):
        predict(tmp_path / "nowhere", [tmp_path / "no.png"])


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_is_predicted_as_the_folder_that_it_holds(version, images, tmp_path, kind):
    beside = {"__MACOSX/._4.png": b"1", ".git/a.png": b"1", "more.zip": b"PK", "d/../a.png": b"1"}
    files = {
        path.relative_to(images).as_posix(): path.read_bytes() for path in images.rglob("*.png")
    }
    archive = packed(tmp_path / f"x.{kind}", beside | files)
    found = {os.path.relpath(each.path, archive): each for each in predict(version, [archive])}
    out = found.pop("a.png")
    assert out.reason.startswith("cannot be opened: its path in the archive is absolute or leads")
    assert [each.probability for each in found.values()] == [
        each.probability for each in predict(version, [images])
    ]
    assert list(found) == names(predict(version, [images]), images)
    assert predict(version, [tmp_path / f"*.{kind}"]) == predict(version, [archive])


def test_an_archive_that_cannot_be_predicted_says_why(version, tmp_path):
    (only,) = predict(version, [packed(tmp_path / "empty.zip", {})])
    assert (only.valid, only.reason) == (False, "archive without files")
    with pytest.raises(UserError, match=r"compressed as a whole.*gzip -dk"):
        predict(version, [packed(tmp_path / "x.tgz", {"a.png": grey(1)})])
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(UserError, match="cannot be read as a zip file"):
        predict(version, [tmp_path / "x.zip"])


@pytest.mark.parametrize("form", FILES)
def test_every_format_has_the_probability_of_its_png(version, tmp_path, form):
    pixels = grey_pixels(44, 40)
    (tmp_path / "a").write_bytes(FILES[form](pixels))
    (tmp_path / "b.png").write_bytes(encode(pixels, "png-grey"))
    found, expected = predict(version, tmp_path)
    assert found.valid
    assert found.probability == expected.probability


def test_a_file_that_is_too_large_once_it_is_encoded_is_refused(tmp_path):
    (tmp_path / "a.webp").write_bytes(FILES["webp"](np.zeros((400, 400), np.uint8)))
    found = module.read_image(tmp_path / "a.webp", 200)
    assert found == "too large: a file of more than 0 MiB as PNG"


def test_a_dicom_file_is_predicted_as_its_pixels_and_its_tags_are_not_repeated(
    version, tmp_path, caplog, capfd
):
    stored = np.random.default_rng(0).integers(0, 65_536, (40, 50)).astype(np.uint16)
    name = "Qzxjane"
    tags = {"PatientID": name, "PatientName": name, "BodyPartExamined": name, "ViewPosition": name}
    (tmp_path / "a.dcm").write_bytes(dicom(stored, 16, **tags))
    (tmp_path / "b.png").write_bytes(png_of_16_bits(stored))
    (tmp_path / "c.dcm").write_bytes(dicom(stored, 16, NumberOfFrames=2, **tags))
    caplog.clear()
    capfd.readouterr()
    found = predict(version, [tmp_path / each for each in ("a.dcm", "b.png", "c.dcm")])
    assert found[0].probability == pytest.approx(found[1].probability, abs=1e-6)
    assert found[2].reason.startswith("DICOM of 2 frames")
    printed = capfd.readouterr()
    assert name not in f"{found}{caplog.text}{printed.out}{printed.err}"
