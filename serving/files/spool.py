"""Sorted lists on disk: of any length, in little memory."""

import heapq
import pickle
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, TypeVar

_Item = TypeVar("_Item")

_SORTED: Final = 20_000
"""Items that are held and sorted in memory at once."""

_BLOCK: Final = 256
_MOST_RUNS: Final = 64


class Spool(Generic[_Item]):
    """Items in the order of a key; equal ones in the order in which they came.

    It is filled first, and then read any number of times. The files have no names, and go with
    the process, however it ends.
    """

    def __init__(self, key: Callable[[_Item], Any]) -> None:
        self._key = key
        self._held: list[_Item] = []
        self._runs: list[Any] = []
        self._length = 0

    def add(self, item: _Item) -> None:
        """Adds an item."""
        self._held.append(item)
        self._length += 1
        if len(self._held) >= _SORTED:
            self._runs.append(_written(iter(sorted(self._held, key=self._key))))
            self._held = []
            if len(self._runs) >= _MOST_RUNS:
                self._runs = [_written(self._merged())]

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[_Item]:
        self._held.sort(key=self._key)
        return self._merged()

    def _merged(self) -> Iterator[_Item]:
        return heapq.merge(*map(_read, self._runs), self._held, key=self._key)


def _written(items: Iterator[_Item]) -> Any:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the list is
    block: list[_Item] = []
    for item in items:
        block.append(item)
        if len(block) == _BLOCK:
            pickle.dump(block, file)
            block = []
    pickle.dump(block, file)
    file.flush()
    return file


def _read(file: Any) -> Iterator[Any]:
    # Several readers may share the file: each keeps its own position.
    position, block = 0, [None]
    while len(block) == _BLOCK or not position:
        file.seek(position)
        block = pickle.load(file)
        position = file.tell()
        yield from block
