from pipeline.cli.output.dataset_rows import COLUMNS, rows
from tests.serving.images.test_dataset import DATASET, folder


def test_every_folder_has_a_row_and_the_last_is_the_sum():
    outside = folder("", "", read=2, quarantined=2)
    dataset = DATASET.model_copy(update={"folders": (*DATASET.folders, outside)})
    assert [tuple(row) for row in rows(dataset)] == [
        ("train", "NORMAL", 5, 2, 0, 0, 1, 1, 1),
        ("-", "(outside)", 2, 0, 0, 0, 2, 0, 0),
        ("total", "", 7, 2, 0, 0, 3, 1, 1),
    ]


def test_a_row_has_a_value_for_each_column():
    assert {len(row) for row in rows(DATASET)} == {len(COLUMNS)}
