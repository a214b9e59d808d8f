import csv
import json

import pytest

from serving.images.dataset import DATASET_FILE, QUARANTINE_FILE
from serving.report import reading
from serving.report.context import Serving
from tests.serving.report import made

TRIAL = {
    "reasons": [],
    "images": 128,
    "load_seconds": 2.5,
    "latency_ms": 8.0,
    "memory_gib": 0.5,
}


def test_what_is_not_there_is_left_out(tmp_path):
    folder = str(tmp_path / "nowhere")
    assert reading.dataset(folder) is None
    assert reading.quarantine(folder) == []
    assert reading.histories(folder) == []
    assert reading.serving(f"{folder}/serving_check.json") is None


def test_the_conversions_records_are_read(tmp_path):
    made.dataset().save(tmp_path)
    (tmp_path / QUARANTINE_FILE).write_bytes(
        b'path,reason,bytes,sha256\n\xff.jpeg,"too small: 1x1, least 32",12,abc\n'
    )
    found = reading.dataset(str(tmp_path))
    assert found is not None
    assert found.model_copy(update={"checksum": ""}) == made.dataset()
    (found,) = reading.quarantine(str(tmp_path))
    assert (found.path, found.reason, found.bytes) == (
        "\ufffd.jpeg",
        "too small: 1x1, least 32",
        12,
    )


def test_a_file_name_may_hold_any_line_break(tmp_path):
    names = ["a\u2028b.png", "a\u0085b.png", "a\x0bb.png", "a\nb.png", "a\rb.png"]
    with (tmp_path / QUARANTINE_FILE).open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "reason", "bytes", "sha256"])
        rows.writerows([name, "empty file", 0, ""] for name in names)
    assert [found.path for found in reading.quarantine(str(tmp_path))] == names


def test_a_damaged_record_of_the_data_is_left_out(tmp_path):
    (tmp_path / DATASET_FILE).write_text('{"fingerprint": 1}')
    assert reading.dataset(str(tmp_path)) is None


def test_a_very_long_list_is_cut(tmp_path):
    rows = "".join(f"{index}.jpeg,empty file,0,\n" for index in range(5000))
    (tmp_path / QUARANTINE_FILE).write_text("path,reason,bytes,sha256\n" + rows)
    assert len(reading.quarantine(str(tmp_path))) == 1000


def test_a_figure_that_is_not_finite_is_left_out(tmp_path):
    (tmp_path / reading.HISTORY).write_text("epoch,loss,val_loss\n1,nan,0.5\n2,0.25,inf\n")
    assert reading.histories(str(tmp_path)) == [({"val_loss": 0.5}, {"loss": 0.25})]


def test_each_member_of_an_ensemble_has_its_history(tmp_path):
    (tmp_path / reading.HISTORY).write_text("member,epoch,loss\n1,1,3\n1,2,2\n2,1,4\n")
    assert reading.histories(str(tmp_path)) == [({"loss": 3}, {"loss": 2}), ({"loss": 4},)]


@pytest.mark.parametrize("changes", [{"latency_ms": None}, {"memory_gib": None}])
def test_a_check_that_measured_not_all_is_left_out(tmp_path, changes):
    path = tmp_path / "serving_check.json"
    path.write_text(json.dumps(TRIAL))
    assert reading.serving(str(path)) == Serving(
        images=128, load_seconds=2.5, latency_ms=8.0, memory_gib=0.5
    )
    path.write_text(json.dumps({**TRIAL, **changes}))
    assert reading.serving(str(path)) is None


def test_versions_are_those_that_run():
    assert reading.versions()["python"].startswith("3.")
    assert reading.versions()["tfx"]
