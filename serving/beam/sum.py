"""Sums as a step of Beam."""

from collections.abc import Callable, Iterable
from typing import Any

import apache_beam as beam


class Sum(beam.CombineFn):
    """Adds up what has a ``+``, in any order.

    Args:
        nothing: makes the sum of nothing. It is added to in place, where it can be.
    """

    def __init__(self, nothing: Callable[[], Any]) -> None:
        self._nothing = nothing

    def create_accumulator(self) -> Any:
        """Returns the sum of nothing."""
        return self._nothing()

    def add_input(self, total: Any, more: Any) -> Any:
        """Adds one."""
        total += more
        return total

    def merge_accumulators(self, totals: Iterable[Any]) -> Any:
        """Adds up sums."""
        merged = self._nothing()
        for total in totals:
            merged += total
        return merged

    def extract_output(self, total: Any) -> Any:
        """Returns the sum."""
        return total
