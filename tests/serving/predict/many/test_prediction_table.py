import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.predict.files import FilePrediction
from serving.predict.many.job import Summary, predict_many
from serving.predict.many.prediction_table import COLUMNS, write_csv, writer_of
from tests.serving.predict.many.samples import write_records
from transform_module.errors import UserError

PREDICTIONS = [
    FilePrediction("a/[b]/one.png", 0.98765, "PNEUMONIA", True, "", False, 2.5, "REVIEW"),
    FilePrediction("a/two, really.png", None, "INVALID", False, "truncated [red]JPEG[/red]"),
]


def test_csv_has_a_row_a_file_under_a_header():
    file = io.StringIO()
    write_csv(map(vars, PREDICTIONS), file)
    header, *rows = csv.reader(io.StringIO(file.getvalue()))
    assert header == [
        *("path", "probability", "label", "valid", "reason"),
        *("in_domain", "domain_distance", "triage"),
    ]
    assert rows == [
        ["a/[b]/one.png", "0.98765", "PNEUMONIA", "True", "", "False", "2.5", "REVIEW"],
        ["a/two, really.png", "", "INVALID", "False", "truncated [red]JPEG[/red]", "", "", ""],
    ]


@pytest.mark.parametrize("rows", [[], PREDICTIONS])
def test_parquet_has_types_whatever_it_holds(tmp_path, rows):
    out = tmp_path / "out.PARQUET"
    writer_of(out)(map(vars, rows), out, COLUMNS)
    table = pq.read_table(out)
    assert table.to_pylist() == [vars(each) for each in rows]
    assert table.schema.types == [
        pa.string(),
        pa.float64(),
        pa.string(),
        pa.bool_(),
        pa.string(),
        pa.bool_(),
        pa.float64(),
        pa.string(),
    ]


def test_no_records_give_no_rows(version, tmp_path):
    file = write_records(tmp_path / "x.tfrecord", [])
    out = tmp_path / "out.csv"
    assert predict_many(version, [file], out) == Summary(0, 0, 0, 0, ())
    assert (
        out.read_text() == "path,probability,label,valid,reason,in_domain,domain_distance,triage\n"
    )


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("out.txt", r"out\.txt has to end in one of \.csv, \.jsonl, \.parquet"),
        ("out", "has to end in"),
        ("folder.csv", r"folder\.csv is a folder"),
        ("nowhere/out.csv", r"There is no folder .*nowhere to write out\.csv into"),
    ],
)
def test_a_table_that_cannot_be_written_is_reported(tmp_path, out, message):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UserError, match=message):
        writer_of(tmp_path / out)
