import tracemalloc

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from serving.beam import disk_runner
from serving.beam.disk_runner import DiskRunner

MEGABYTE = 1024**2


def everything(pipeline, found):
    """One step of each kind that ours use, with consumers of one collection at several times."""
    numbers = pipeline | beam.Create(range(500))
    keyed = numbers | beam.Map(lambda number: (number % 7, number))
    total = numbers | beam.CombineGlobally(sum)
    grouped = keyed | beam.GroupByKey()
    sums = grouped | "Sum" >> beam.MapTuple(lambda key, values: (key, sum(values)))
    counts = grouped | "Count" >> beam.MapTuple(lambda key, values: (key, len(list(values))))
    joined = {"sums": sums, "counts": counts} | beam.CoGroupByKey()
    late = numbers | beam.Map(
        lambda number, all_of: number / all_of, beam.pvalue.AsSingleton(total)
    )
    spread = keyed | beam.Reshuffle() | beam.MapTuple(lambda key, value: key * value)
    for name, each in {
        "joined": joined | beam.MapTuple(lambda key, both: (key, str(both))),
        "late": late,
        "both": (late, spread) | beam.Flatten(),
        "none": keyed | beam.Filter(lambda _: False) | "No group" >> beam.GroupByKey(),
    }.items():
        _ = each | f"Keep {name}" >> beam.Map(lambda value, name=name: found.append((name, value)))


FOUND = []


def run(runner):
    FOUND.clear()
    with beam.Pipeline(runner=runner) as pipeline:
        everything(pipeline, FOUND)
    return sorted(map(repr, FOUND))


@pytest.mark.parametrize("in_memory", [1, 100, 3000, disk_runner.IN_MEMORY])
def test_the_results_are_those_of_beams_own_runner(monkeypatch, in_memory):
    expected = run(FnApiRunner())
    monkeypatch.setattr(disk_runner, "IN_MEMORY", in_memory)
    assert run(DiskRunner()) == expected


def test_memory_does_not_grow_with_the_data(monkeypatch):
    monkeypatch.setattr(disk_runner, "IN_MEMORY", MEGABYTE)
    tracemalloc.start()
    with beam.Pipeline(runner=DiskRunner()) as pipeline:
        # 120 MB that are grouped, and read twice.
        grouped = (
            pipeline
            | beam.Create(range(600))
            | beam.Map(lambda number: (number, bytes(MEGABYTE // 5)))
            | beam.GroupByKey()
        )
        for name in "ab":
            _ = (
                grouped
                | f"Spread {name}" >> beam.Reshuffle()
                | f"Use {name}" >> beam.MapTuple(lambda _, values: [len(each) for each in values])
            )
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Beam's own runner takes more than the data. A worker hands over 10 MB at once.
    assert most < 80 * MEGABYTE
