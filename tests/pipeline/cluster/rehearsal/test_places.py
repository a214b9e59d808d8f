import pytest

from pipeline.cluster.rehearsal.places import holds, localized

PLACES = {"gs://bucket/ex": "/ex", "gs://bucket/runs": "/out", "gs://bucket/runs/data/": "/data"}


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("gs://bucket/ex", "/ex"),
        ("gs://bucket/ex/eval", "/ex/eval"),
        ('{"a": "gs://bucket/ex", "b": ["gs://bucket/runs/7"]}', '{"a": "/ex", "b": ["/out/7"]}'),
        ("gs://bucket/runs/data", "/data"),
        ("gs://bucket/runs/data/eval", "/data/eval"),
    ],
)
def test_the_innermost_place_means_what_lies_in_it(text, local):
    assert localized(text, PLACES) == local


@pytest.mark.parametrize(
    "text", ["gs://bucket/examples", "gs://bucket/ex-2", "gs://bucket/ex.old", "gs://other/ex", ""]
)
def test_a_place_that_only_begins_alike_is_left(text):
    assert localized(text, PLACES) == text
    assert not holds(PLACES, text)


def test_a_place_is_held_by_one_above_it():
    assert holds(PLACES, "gs://bucket/runs/data/eval")
    assert holds(PLACES, "gs://bucket/ex")
    assert not holds({}, "gs://bucket/ex")
    assert localized("gs://bucket/ex", {}) == "gs://bucket/ex"
