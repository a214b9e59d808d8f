import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer_module.training import history

figures = st.floats(0, 1) | st.just(math.nan)


def epochs(values, name="val_auc"):
    return [{name: value} for value in values]


@pytest.mark.parametrize(
    ("values", "monitor", "best"),
    [
        ([0.5, 0.9, 0.8], "val_auc", 1),
        ([0.5, 0.9, 0.8], "val_loss", 0),
        ([0.9, 0.9], "val_auc", 0),
        ([math.nan, 0.1], "val_auc", 1),
        ([math.nan, 0.1], "val_loss", 1),
    ],
)
def test_best_epoch(values, monitor, best):
    assert history.best_epoch(epochs(values, monitor), monitor) == best


def test_stops_after_patience_epochs_in_vain():
    stopped = [
        history.is_over(epochs([0.5, 0.9, *[0.8] * vain]), "val_auc", epochs=25, patience=5)
        for vain in range(6)
    ]
    assert stopped == [False] * 5 + [True]


def test_stops_after_all_epochs():
    assert history.is_over(epochs([0.1, 0.2]), "val_auc", epochs=2, patience=5)
    assert not history.is_over([], "val_auc", epochs=2, patience=5)


@given(st.lists(st.tuples(figures, figures), min_size=1))
def test_reads_back_what_was_written(tmp_path_factory, values):
    rows = [{"loss": loss, "val_auc": auc} for loss, auc in values]
    path = tmp_path_factory.mktemp("history") / "history.csv"
    history.write(path, rows)
    assert repr(history.read(path)) == repr(rows)


def test_the_epochs_of_members_are_in_one_file(tmp_path):
    path = tmp_path / "history.csv"
    history.write_members(path, [epochs([0.5, 0.75]), epochs([0.25])])
    assert path.read_text().split() == [
        "member,epoch,val_auc",
        "1,1,0.5",
        "1,2,0.75",
        "2,1,0.25",
    ]


def test_nothing_was_written(tmp_path):
    assert history.read(tmp_path / "history.csv") == []
