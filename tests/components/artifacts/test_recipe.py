import pytest

from components.artifacts.recipe import recipe

RECORD = {
    "transform": {"resize": "squash"},
    "settings": {"epochs": 3},
    "seed": 8,
    "dataset_fingerprint": "f1",
    "code_version": "c1",
}


def test_it_is_a_sha256_that_follows_from_its_parts_alone():
    assert len(recipe(RECORD)) == 64
    assert recipe({**RECORD, "training": {"epochs": 2}}) == recipe(RECORD)
    assert recipe(dict(reversed(RECORD.items()))) == recipe(RECORD)


TUNING = {"settings": {"epochs": 2}, "search": {"trials": 3}, "values": {"learning_rate": 0.1}}


def test_what_a_search_found_follows_from_what_it_began_with():
    tuned = {**RECORD, "tuning": TUNING}
    assert recipe(tuned) != recipe(RECORD)
    assert recipe({**tuned, "settings": "found"}) == recipe(tuned)
    assert recipe({**tuned, "tuning": {**TUNING, "values": {}}}) == recipe(tuned)


@pytest.mark.parametrize("part", ["settings", "search"])
def test_another_search_is_another_recipe(part):
    tuned = {**RECORD, "tuning": TUNING}
    assert recipe({**tuned, "tuning": {**TUNING, part: "other"}}) != recipe(tuned)


@pytest.mark.parametrize("part", RECORD)
def test_another_part_is_another_recipe(part):
    assert recipe({**RECORD, part: "other"}) != recipe(RECORD)
