import pytest

from serving.predict.many.job import predict_many
from serving.predict.many.true_labels import read
from tests.serving.predict.many.samples import read as read_table
from transform_module.errors import UserError


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("file;class\n0/000.png;1\n1/000.png;False\n2/000.png;-1\ngone.png;0\n")
    return path


def rows_of(*paths):
    return lambda: iter([{"path": path} for path in paths])


def test_images_get_the_labels_of_the_rows_that_their_paths_end_in(table):
    rows = rows_of("x/0/000.png", "s3://b/1/000.png", "2/000.png", "3/000.png", "x/0/000.png")
    labels = [row["true_label"] for row in read(table).added(rows)]
    assert labels == ["PNEUMONIA", "NORMAL", None, None, "PNEUMONIA"]


def test_a_path_from_the_root_on_is_found_by_one_relative_to_the_working_directory(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.csv").write_text(f"path,label\n{tmp_path}/a.png,0\n")
    (row,) = read(tmp_path / "labels.csv").added(rows_of("a.png"))
    assert row["true_label"] == "NORMAL"


def test_a_table_of_none_of_the_images_is_refused(table):
    with pytest.raises(UserError, match=r"lists none of the images.*such as a\.png.*are kept"):
        read(table).added(rows_of("a.png"))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_table_of_predictions_has_the_labels_as_a_column(
    version, images, table, tmp_path, suffix
):
    out = tmp_path / f"out{suffix}"
    one, other, *rest = sorted(images.rglob("*.png"))
    table.write_text(f"path,label\n{one.name},1\n{other.name},0\n{rest[0].name},-1\n")
    predict_many(version, [images], out, labels=table)
    found = {row["path"]: row["true_label"] or None for row in read_table(out)}
    assert found == {
        str(one): "PNEUMONIA",
        str(other): "NORMAL",
        **dict.fromkeys(map(str, rest)),
    }
