import random

import pytest

from serving.files import spool
from serving.files.spool import Spool


@pytest.mark.parametrize("number", [0, 1, 9, 10, 57, 1000])
@pytest.mark.parametrize("in_memory", [1, 10, 64])
def test_items_are_read_in_the_order_of_their_keys_as_often_as_wanted(
    monkeypatch, number, in_memory
):
    monkeypatch.setattr(spool, "_SORTED", in_memory)
    monkeypatch.setattr(spool, "_BLOCK", 3)
    monkeypatch.setattr(spool, "_MOST_RUNS", 4)
    items = [(random.Random(index).randrange(20), index) for index in range(number)]
    filled = Spool[tuple[int, int]](lambda item: item[0])
    for item in items:
        filled.add(item)
    expected = sorted(items, key=lambda item: item[0])
    assert len(filled) == number
    assert list(filled) == expected
    assert list(zip(filled, filled, strict=True)) == list(zip(expected, expected, strict=True))
