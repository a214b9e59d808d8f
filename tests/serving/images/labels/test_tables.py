import gzip
import math

import pyarrow
import pytest
from pyarrow import parquet

from serving.images.labels.tables import read
from transform_module.errors import UserError

TEXT = "path,label\na.png,Köln\n"
ROWS = [(2, ("a.png", "Köln"))]


@pytest.fixture
def table(tmp_path):
    def write(content):
        path = tmp_path / "labels.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read(path, "table of labels")

    return write


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("latin-1"),
        TEXT.encode("cp1252"),
        TEXT.replace("\n", "\r\n").encode("utf-8-sig"),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode(),
        TEXT.replace(",", " | ").encode(),
        TEXT.replace(",", " , ").encode(),
        gzip.compress(TEXT.encode(), mtime=0),
    ],
)
def test_encodings_and_delimiters_are_found_out(table, content):
    found = table(content)
    assert found.columns == ("path", "label")
    assert list(found.rows()) == ROWS
    assert list(found.rows()) == ROWS


def test_what_a_spreadsheet_adds_is_left_out(table):
    found = table("sep=;\npath;label;\na.png;1\n;;\n\nb.png;0;\n")
    assert found.columns == ("path", "label", "")
    assert list(found.rows()) == [(3, ("a.png", "1", "")), (6, ("b.png", "0", ""))]


def test_a_delimiter_in_quotes_is_none(table):
    assert list(table('path,label\n"a,1.png","x\ny"\n').rows()) == [(3, ("a,1.png", "x\ny"))]


def test_parquet_has_the_cells_of_a_csv(tmp_path):
    path = tmp_path / "labels.parquet"
    columns = {
        "path": ["a.png", "b.png"],
        "label": [1.0, math.nan],
        "healthy": [True, None],
        "findings": [["Pneumonia", "Mass"], []],
    }
    parquet.write_table(pyarrow.table(columns), path)
    found = read(path, "table of labels")
    assert found.columns == ("path", "label", "healthy", "findings")
    assert list(found.rows()) == [
        (2, ("a.png", "1.0", "True", "Pneumonia|Mass")),
        (3, ("b.png", "", "", "")),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04rest", "an Excel workbook or an archive. Save its sheet as CSV"),
        (b"\xff\xd8\xff\xe0", "it is an image: it holds no text"),
        (b"path\x01\x02", "it holds no text"),
        (b"\xff\xfea", "it holds no text"),
        (b"PAR1rubbish", "labels.csv cannot be read"),
        (b"\x1f\x8brubbish", "labels.csv cannot be read"),
    ],
)
def test_what_holds_no_table_is_refused(table, content, message):
    with pytest.raises(UserError, match=message):
        table(content)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match=r"The table of labels .*absent.csv cannot be read: No s"):
        read(tmp_path / "absent.csv", "table of labels")


def test_a_row_with_more_cells_than_columns_is_refused_with_its_line(table):
    with pytest.raises(UserError, match=r"line 3: 3 cells, and 2 columns. Put cells that hold"):
        list(table("path,label\nx.png,1\na,1.png,0\n").rows())


def test_columns_go_by_several_names_of_which_the_first_counts(table):
    found = table("Image Index,Patient_ID,path\n")
    assert found.column(("path", "imageindex")) == 2
    assert found.column(("patient", "patientid")) == 1
    assert found.column(("label",)) is None
    assert found.where(7, 1).endswith("labels.csv, line 7, column Patient_ID")


def test_a_column_that_is_missing_is_named_with_the_nearest(table):
    with pytest.raises(UserError, match=r"has no column label. Did you mean lable.*It has: path"):
        table("path,lable\n").required("label")


def test_two_columns_of_one_name_are_refused(table):
    with pytest.raises(UserError, match="has 2 columns named Label"):
        table("path,Label,label\n").column(("label",))
