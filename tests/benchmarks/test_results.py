"""What is made of figures, and what a measured command is said to cost."""

import sys
from xml.etree import ElementTree

import pytest

from tests.benchmarks import measure, results
from tests.benchmarks.goals import GOALS, Figures, table


def figures(**values):
    found = {}
    for name, rounds in values.items():
        found[name] = Figures()
        for ours, theirs in rounds:
            found[name].compare(ours, theirs)
    return found


def test_a_row_is_predicted_by_the_median_on_the_right_side_of_its_bound():
    found = figures(convert=[(1, 2), (9, 10), (8, 10)], transform=[(3, 2), (2, 2), (4, 2)])
    convert, transform = table(found).splitlines()[2:]
    assert "≥ 0.80x | 0.80x (8 : 10) | 0.50x to 0.90x | 3 | met |" in convert
    assert "≤ 1.30x | 1.50x (3 : 2) | 1.00x to 2.00x | 3 | **missed** |" in transform


def test_an_entry_comes_back_from_the_history_and_is_drawn(tmp_path):
    history = tmp_path / "history.jsonl"
    cost = measure.run([sys.executable, "-c", "pass"], tmp_path / "log")
    for ratio in (4, 0.5):
        measured = results.entry(figures(first=[(ratio, 1)]), {"a command": [cost]})
        entries = results.append(measured, history)
    assert entries[1] == measured
    assert "| a command | 1 |" in results.markdown(entries[1])
    drawn = ElementTree.fromstring(results.plot(entries))
    texts = [element.text for element in drawn.iter() if element.tag.endswith("text")]
    assert GOALS["first"].what in texts
    assert "0.50x" in texts


def test_the_children_of_a_command_count(tmp_path):
    child = "b = bytearray(200_000_000); import time; time.sleep(1)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    cost = measure.run([sys.executable, "-c", code], tmp_path / "log")
    assert cost.peak_memory > 200_000_000
    assert cost.page_faults > 200_000_000 / 2**21
    assert 1 < cost.seconds < 60


def test_a_command_that_fails_is_not_a_figure(tmp_path):
    with pytest.raises(measure.Failed, match=r"(?s)ended with 3.*why it did"):
        measure.run(
            [sys.executable, "-c", "print('why it did'); raise SystemExit(3)"], tmp_path / "log"
        )
