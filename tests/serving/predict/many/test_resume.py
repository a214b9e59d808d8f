import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from serving import model
from serving.predict import files
from serving.predict.many.job import Summary, predict_many
from tests.pipeline.command import REPOSITORY
from tests.serving.predict.many.samples import expected, grey, names, numbered, read, write_records

KILLED_IN_THE_THIRD_CALL = """
import os, signal, sys
from pathlib import Path
from serving import model
from serving.predict import files
from serving.predict.many import beam_predicting, inputs, job
inputs.PART_IMAGES = beam_predicting.PART_IMAGES = files._BATCH_IMAGES = 2
calls = []
predict = model.Model.predict
def deadly(self, images):
    calls.append(images)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return predict(self, images)
model.Model.predict = deadly
job.predict_many(Path(sys.argv[1]), [Path(sys.argv[2])], Path(sys.argv[3]))
"""


def test_a_killed_run_continues(version, images, tmp_path, small_parts, predicted, monkeypatch):
    opened, read_image = [], files.read

    def recorded(file, *limit):
        opened.append(file)
        return read_image(file, *limit)

    monkeypatch.setattr(files, "read", recorded)
    out = tmp_path / "out.csv"
    arguments = [str(version), str(images), str(out)]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_IN_THE_THIRD_CALL, *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not out.exists()
    summary = predict_many(version, [images], out)
    assert (summary.images, summary.resumed, sum(predicted), len(opened)) == (12, 4, 8, 8)
    assert read(out) == expected(version, images)
    assert not (tmp_path / "out.csv.parts").exists()


class Interrupted(Exception):
    pass


def interrupted(version, paths, out, *, calls):
    """Ends a run in a call of the model."""
    with pytest.MonkeyPatch.context() as patch:
        left = list(range(calls))
        predict = model.Model.predict

        def failing(self, images):
            if not left:
                raise Interrupted
            left.pop()
            return predict(self, images)

        patch.setattr(model.Model, "predict", failing)
        with pytest.raises(Exception, match="Interrupted"):
            predict_many(version, paths, out)
    assert not out.exists()


@pytest.mark.parametrize("name", ["x.tfrecord", "x.tfrecord.gz"])
def test_a_run_continues_within_a_record_file(version, tmp_path, small_parts, predicted, name):
    file = write_records(tmp_path / name, numbered(9))
    out = tmp_path / "out.csv"
    interrupted(version, [file], out, calls=3)
    assert sorted(path.name for path in (tmp_path / "out.csv.parts").rglob("*.jsonl")) == [
        "00000000-00000000-2.jsonl",
        "00000000-00000002-2.jsonl",
        "00000000-00000004-2.jsonl",
        "inputs.jsonl",
    ]
    predicted.clear()
    assert predict_many(version, [file], out) == Summary(9, 9, 0, 6, ())
    assert predicted == [2, 1]
    assert names(out) == [f"{n}.png" for n in range(9)]


def test_what_was_killed_before_the_end_alone_is_not_predicted_again(
    version, images, tmp_path, predicted, monkeypatch
):
    out = tmp_path / "out.csv"
    replace = os.replace

    def failing(source, target):
        if Path(target) == out:
            raise Interrupted
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", failing)
        with pytest.raises(Interrupted):
            predict_many(version, [images], out)
    predicted.clear()
    assert predict_many(version, [images], out).resumed == 12
    assert not predicted
    assert read(out) == expected(version, images)


def touch(version, images):
    changed = images / "2" / "011.png"
    changed.write_bytes(grey(255))
    return version


def touch_time_alone(version, images):
    os.utime(images / "2" / "011.png", ns=(1, 1))
    return version


def add(version, images):
    (images / "2" / "z.png").write_bytes(grey(255))
    return version


def train(version, images):
    other = shutil.copytree(version, images.parent / "models" / "18")
    record = other / "assets.extra" / "model.json"
    record.write_text(record.read_text() + " ")
    return other


@pytest.mark.parametrize("change", [touch, touch_time_alone, add, train])
def test_what_changed_is_predicted_again(version, images, tmp_path, small_parts, predicted, change):
    out = tmp_path / "out.csv"
    interrupted(version, [images], out, calls=5)
    changed = change(version, images)
    rows = expected(changed, images)
    predicted.clear()
    assert predict_many(changed, [images], out).resumed == 0
    assert sum(predicted) == len(rows)
    assert read(out) == rows


def test_the_rests_of_a_removal_that_was_killed_are_not_used(
    version, images, tmp_path, small_parts, monkeypatch
):
    out = tmp_path / "out.csv"
    unlink, removed = Path.unlink, []

    def failing(self, *arguments, **options):
        if tmp_path / "out.csv.parts" in self.parents and out.exists():
            removed.append(self)
            if len(removed) == 4:
                raise Interrupted
        unlink(self, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", failing)
        with pytest.raises(Interrupted):
            predict_many(version, [images], out)
    assert predict_many(version, [images], out).resumed == 0
    assert read(out) == expected(version, images)


def test_parts_of_other_inputs_go_after_their_list(
    version, images, tmp_path, small_parts, monkeypatch
):
    out = tmp_path / "out.csv"
    interrupted(version, [images], out, calls=5)
    removed = []

    def failing(self, **options):
        removed.append(self.name)
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", failing)
        with pytest.raises(Interrupted):
            predict_many(version, [images / "0"], out)
    assert removed[0] == "inputs.jsonl"
