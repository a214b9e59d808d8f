import os

import pytest

from serving.predict.files import FilePrediction
from serving.predict.many.parts import Parts
from transform_module.errors import UserError

ROWS = [FilePrediction(f"{number}.png", 0.1, "NORMAL", True) for number in range(5)]


@pytest.fixture
def parts(tmp_path):
    (tmp_path / "out.csv.parts").mkdir()
    return Parts(tmp_path / "out.csv.parts")


def test_rows_are_read_in_the_order_of_the_chunks_and_within_them(parts):
    parts.write(10, 0, ROWS[4:])
    parts.write(9, 2, ROWS[2:4])
    parts.write(9, 0, ROWS[:2])
    assert list(parts.rows()) == [vars(row) for row in ROWS]


def test_rows_are_counted_of_one_chunk_and_of_all(parts):
    parts.write(1, 0, ROWS)
    parts.write(1, 5, ROWS[:2])
    parts.write(11, 0, ROWS[:1])
    assert [parts.count_rows(chunk) for chunk in (0, 1, 11, None)] == [0, 7, 1, 8]


def test_a_finished_chunk_shows_of_its_damage(parts):
    parts.finish(0, "")
    parts.finish(1, "röntgen.gz is damaged.")
    assert [parts.finished(chunk) for chunk in range(3)] == [True, True, False]
    assert [parts.damage(chunk) for chunk in range(2)] == ["", "röntgen.gz is damaged."]


def test_all_is_ours_and_goes(parts):
    parts.write(0, 0, ROWS)
    parts.finish(0, "")
    parts.inputs.write_text("list")
    parts.table.write_text("table")
    (parts.folder / f"00000/00000000.done.{'0a' * 16}").write_text("half")
    parts.refuse_foreign()
    parts.clear(kept=parts.inputs)
    assert list(parts.folder.iterdir()) == [parts.inputs]
    parts.clear()
    assert list(parts.folder.iterdir()) == []


def test_no_folder_is_listed_for_a_chunk_that_has_the_parts_of_all(parts):
    for chunk in range(0, 5000, 500):
        parts.write(chunk, 0, ROWS[:1])
    assert sorted(os.listdir(parts.folder)) == [f"{number:05d}" for number in range(5)]
    assert all(len(list(each.iterdir())) == 2 for each in parts.folder.iterdir())
    assert [row["path"] for row in parts.rows()] == ["0.png"] * 10


def test_a_folder_of_another_is_reported(parts):
    (parts.folder / "mine").mkdir()
    with pytest.raises(UserError, match="something else: mine"):
        parts.refuse_foreign()


def test_what_another_made_in_its_place_is_reported(parts):
    (parts.folder / "mine.txt").write_text("kept")
    with pytest.raises(UserError, match=r"out\.csv\.parts .* holds something else: mine\.txt"):
        parts.refuse_foreign()


def test_a_file_in_its_place_is_reported(tmp_path):
    (tmp_path / "out.csv.parts").write_text("mine")
    with pytest.raises(UserError, match=r"something else: out\.csv\.parts"):
        Parts(tmp_path / "out.csv.parts").refuse_foreign()
