from tests.benchmarks.shifts import table

ONE = {
    "auc": 0.9,
    "accuracy": 0.85,
    "sensitivity": 0.8,
    "specificity": 0.7,
    "ece": 0.02,
    "examples": 1234,
}
OTHER = {
    "auc": 0.7,
    "accuracy": 0.75,
    "sensitivity": 1.0,
    "specificity": 0.5,
    "ece": 0.06,
    "examples": 10,
}


def cells(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]


def test_the_mean_and_the_worst_are_under_the_shifts():
    rows = cells(table({"subtype=virus": ONE, "size=low": None, "border=high": OTHER}))
    assert rows[2] == ["subtype=virus", "0.9000", "0.8500", "0.8000", "0.7000", "0.0200", "1,234"]
    assert rows[3] == ["size=low", "-", "-", "-", "-", "-", "-"]
    assert rows[5] == ["mean", "0.8000", "0.8000", "0.9000", "0.6000", "0.0400", ""]
    assert rows[6] == ["worst", "0.7000", "0.7500", "0.8000", "0.5000", "0.0600", ""]


def test_without_any_figures_there_is_no_mean():
    assert len(cells(table({"size=low": None}))) == 3
