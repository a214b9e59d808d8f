import os
import shutil
from dataclasses import astuple
from pathlib import Path

import pytest

from serving.beam import beam_pipeline
from serving.files import staging
from serving.predict.many import job
from serving.predict.many.job import predict_many
from serving.predict.many.prediction_table import COLUMNS
from tests.images import grey_pixels
from tests.serving.images.encoding.samples import FILES
from tests.serving.predict.many.samples import expected, grey, numbered, read, write_records
from tests.serving.saved import save
from transform_module.errors import UserError


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_the_rows_are_those_of_predict(version, images, tmp_path, small_parts, suffix):
    (images / "1" / "a.png").write_bytes(b"some text\n" * 9)
    (images / "1" / "link.png").symlink_to("nowhere")
    (images / "1" / 'comma, "quote" and\nline.png').write_bytes(grey(3))
    (images / "1" / "umläut.png").write_bytes(grey(3))
    Path(os.fsdecode(os.fsencode(images) + b"/\xe9.png")).write_bytes(grey(9))
    (images / "Thumbs.db").write_bytes(b"system")
    paths = [images / "2", tmp_path / "missing.png", images, images / "0" / "000.png"]
    out = tmp_path / f"out{suffix}"
    summary = predict_many(version, paths, out)
    rows = read(out)
    assert rows == expected(version, *paths)
    assert tuple(rows[0]) == COLUMNS
    assert astuple(summary) == (23, 20, 3, 0, (), 0, 0)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_images_unlike_the_training_are_reported_and_counted(images, tmp_path, suffix):
    version = save(tmp_path / "1", has_triage=True)
    (images / "0" / "middle.png").write_bytes(grey(120))
    (images / "1" / "black.png").write_bytes(grey(0))
    out = tmp_path / f"out{suffix}"
    summary = predict_many(version, [images], out)
    rows = read(out)
    assert rows == expected(version, images)
    unlike = [Path(row["path"]).name for row in rows if row["in_domain"] is False]
    assert "black.png" in unlike
    assert summary.out_of_domain == len(unlike)
    review = [Path(row["path"]).name for row in rows if row["triage"] == "REVIEW"]
    assert {*unlike, "middle.png"} <= set(review)
    assert summary.review == len(review)


def test_paths_are_relative_to_the_working_directory(version, images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    predict_many(version, [Path("images")], Path("out.csv"))
    assert read(tmp_path / "out.csv") == expected(version, Path("images"))


def test_nothing_but_the_table_is_left(version, images, tmp_path):
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "out.csv").write_text("former")
    predict_many(version, [images], tmp_path / "to" / "out.csv")
    assert os.listdir(tmp_path / "to") == ["out.csv"]
    assert len(read(tmp_path / "to" / "out.csv")) == 12


def test_no_more_than_a_batch_is_held(version, images, tmp_path, predicted):
    predict_many(version, [images / "0" / "000.png"] * 70, tmp_path / "out.csv")
    assert predicted == [32, 32, 6]


def test_options_of_beam_are_handed_over(version, images, tmp_path, monkeypatch):
    options, seen = beam_pipeline.options, []

    def watched(beam_args):
        made = options(beam_args)
        seen.append(made.get_all_options())
        return made

    monkeypatch.setattr(beam_pipeline, "options", watched)
    predict_many(
        version,
        [images],
        tmp_path / "out.csv",
        beam_args=["--direct_running_mode=multi_threading", "--direct_num_workers=2"],
    )
    assert seen[0]["direct_num_workers"] == 2
    assert seen[0]["direct_running_mode"] == "multi_threading"
    assert read(tmp_path / "out.csv") == expected(version, images)


def test_progress_is_reported_up_to_the_total(version, images, tmp_path, small_parts, monkeypatch):
    monkeypatch.setattr(job, "_SECONDS_BETWEEN_LOOKS", 0.001)
    message = []
    out = tmp_path / "out.csv"
    predict_many(version, [images], out, progress=lambda *now: message.append(now))
    assert message[0] == (0, 12)
    assert message[-1] == (12, 12)
    assert {total for _, total in message} == {12}
    assert message == sorted(message)
    assert len(set(message)) > 3


def test_the_total_of_record_files_is_an_estimate_and_at_last_their_number(version, tmp_path):
    file = write_records(tmp_path / "x.tfrecord", numbered(20))
    message = []
    predict_many(version, [file], tmp_path / "out.csv", progress=lambda *now: message.append(now))
    assert 10 <= message[0][1] <= 40
    assert message[-1] == (20, 20)


def test_a_missing_model_is_reported(images, tmp_path):
    with pytest.raises(UserError, match="No model at"):
        predict_many(tmp_path / "nowhere", [images], tmp_path / "out.csv")


def test_a_broken_model_is_reported(version, images, tmp_path):
    broken = shutil.copytree(version, tmp_path / "models" / "18")
    (broken / "saved_model.pb").write_bytes(b"broken")
    with pytest.raises(UserError, match="18 cannot be loaded as a model"):
        predict_many(broken, [images], tmp_path / "out.csv")
    assert not (tmp_path / "out.csv.parts").exists()


def test_what_beam_does_not_understand_is_reported(version, images, tmp_path):
    with pytest.raises(UserError, match="Beam does not understand --direct_num_workers=x"):
        predict_many(
            version,
            [images],
            tmp_path / "out.csv",
            beam_args=["--direct_num_workers=x"],
        )
    assert not (tmp_path / "out.csv.parts").exists()


def test_one_process_at_a_time_writes_a_table(version, images, tmp_path):
    out = tmp_path / "out.csv"
    with (
        staging.locked(tmp_path / "out.csv.parts", out),
        pytest.raises(UserError, match="Another process is writing"),
    ):
        predict_many(version, [images], out)


def test_what_another_made_beside_the_table_is_kept(version, images, tmp_path):
    mine = tmp_path / "out.csv.parts" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("kept")
    with pytest.raises(UserError, match=r"holds something else: mine\.txt"):
        predict_many(version, [images], tmp_path / "out.csv")
    assert mine.read_text() == "kept"


def test_every_format_is_read(version, tmp_path):
    for form, made in FILES.items():
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "images" / form).write_bytes(made(grey_pixels(44, 40)))
    assert predict_many(version, [tmp_path / "images"], tmp_path / "out.csv").valid == len(FILES)
    rows = read(tmp_path / "out.csv")
    assert rows == expected(version, tmp_path / "images")
    assert len({row["probability"] for row in rows}) == 1
