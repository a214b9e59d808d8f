import pytest

from serving.predict.many.job import predict_many
from tests.archives import packed
from tests.serving.predict.many.samples import expected, grey, names, read


def test_a_table_among_the_images_is_none_of_them(version, images):
    out = images / "0" / "out.csv"
    rows = expected(version, images)
    for _ in range(2):
        predict_many(version, [images], out)
        assert read(out) == rows


def test_patterns_are_sorted_and_reach_any_depth(version, images, tmp_path):
    out = tmp_path / "out.csv"
    predict_many(version, [tmp_path / "**" / "00[13].png", images / "2"], out)
    assert names(out) == ["003.png", "001.png", "002.png", "005.png", "008.png", "011.png"]


def test_a_name_that_only_looks_like_a_pattern_is_taken_as_it_is(version, tmp_path):
    (tmp_path / "[1].png").write_bytes(grey(1))
    (tmp_path / "1.png").write_bytes(grey(2))
    predict_many(version, [tmp_path / "[1].png"], tmp_path / "out.csv")
    assert names(tmp_path / "out.csv") == ["[1].png"]


def test_paths_that_are_for_no_file_get_rows(version, tmp_path):
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out.csv"
    paths = [tmp_path / name for name in ("empty", "*.png", "no.png", "no.tfrecord", "gs:/b/x.png")]
    summary = predict_many(version, paths, out)
    assert (summary.images, summary.valid, summary.invalid) == (5, 0, 5)
    assert [row["reason"].split(":")[0] for row in read(out)] == [
        "folder without files",
        "no file matches this pattern",
        "cannot be opened",
        "cannot be opened",
        "not a local file (gs)",
    ]


def test_many_missing_files_before_a_good_one_are_rows(version, tmp_path):
    (tmp_path / "z.png").write_bytes(grey(10))
    missing = [tmp_path / f"{number}.png" for number in range(70)]
    summary = predict_many(version, [*missing, tmp_path / "z.png"], tmp_path / "out.csv")
    assert (summary.images, summary.valid) == (71, 1)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_files_in_archives_are_rows(version, tmp_path, monkeypatch, kind):
    files = {"b/röntgen.png": grey(1), "a.png": grey(2), "b/c.tfrecord": b"1", "b/d.png": b"2"}
    packed(tmp_path / f"x.{kind}", files)
    monkeypatch.chdir(tmp_path)
    summary = predict_many(version, [f"x.{kind}"], tmp_path / "out.csv")
    assert (summary.images, summary.valid) == (4, 2)
    rows = expected(version, f"x.{kind}")
    assert read(tmp_path / "out.csv") == rows
    assert len(rows) == 4
