import os

import pytest

from components.errors import UserError
from serving.predict_many.job import predict_many
from tests.serving.predict_many.samples import expected, grey, names, read


def test_a_table_among_the_pictures_is_none_of_them(version, pictures):
    out = pictures / "0" / "out.csv"
    rows = expected(version, pictures)
    for _ in range(2):
        predict_many(version, [pictures], out)
        assert read(out) == rows


def test_patterns_are_sorted_and_reach_any_depth(version, pictures, tmp_path):
    out = tmp_path / "out.csv"
    predict_many(version, [tmp_path / "**" / "00[13].png", pictures / "2"], out)
    assert names(out) == ["003.png", "001.png", "002.png", "005.png", "008.png", "011.png"]


def test_a_name_that_only_looks_like_a_pattern_is_taken_as_it_is(version, tmp_path):
    (tmp_path / "[1].png").write_bytes(grey(1))
    (tmp_path / "1.png").write_bytes(grey(2))
    predict_many(version, [tmp_path / "[1].png"], tmp_path / "out.csv")
    assert names(tmp_path / "out.csv") == ["[1].png"]


def test_no_input_is_told(version, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"There is no file in .*empty"):
        predict_many(version, [tmp_path / "empty"], tmp_path / "out.csv")
    with pytest.raises(UserError, match=r"There is no file that matches .*\*\.png"):
        predict_many(version, [tmp_path / "*.png"], tmp_path / "out.csv")
    assert os.listdir(tmp_path) == ["empty"]
