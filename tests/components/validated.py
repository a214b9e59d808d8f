"""Splits of examples and their statistics, made with the options that StatisticsGen is given."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from tests.components import tiny
from transform_module import contract

IMAGE = b"\xff\xd8 an image's bytes, which are not text \xfe"


def rows(count: int, **changes: Any) -> list[dict[str, Any]]:
    """As many good examples of both classes; a change of None leaves a feature out."""
    return [
        {
            **tiny.example(number % 2, (100 + number) / 1000),
            contract.IMAGE: IMAGE,
            contract.FILENAME: f"{number}.jpeg",
            contract.PATIENT_ID: f"p{number}",
            contract.SHA256: f"{number:064d}",
            contract.SUBTYPE: "virus" if number % 2 else None,
            **changes,
        }
        for number in range(count)
    ]


def statistics(examples: Iterable[dict[str, Any]]) -> Any:
    """The statistics of a split; a list as a feature's value is taken as several values."""
    from tensorflow_data_validation.statistics import stats_impl

    from components.statistics_gen import statistics_options

    examples = list(examples)
    columns = {
        name: [_values(row.get(name)) for row in examples] for row in examples for name in row
    }
    return stats_impl.generate_statistics_in_memory(
        pa.RecordBatch.from_pydict(columns), statistics_options()
    )


def common(feature: Any) -> Any:
    """What every kind of feature's statistics have in common."""
    return getattr(feature, feature.WhichOneof("stats")).common_stats


def _values(value: Any) -> list[Any] | None:
    if value is None or isinstance(value, list):
        return value
    return [value.encode() if isinstance(value, str) else value]
