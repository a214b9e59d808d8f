import pytest

from components.recipe import recipe

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


@pytest.mark.parametrize("part", RECORD)
def test_another_part_is_another_recipe(part):
    assert recipe({**RECORD, part: "other"}) != recipe(RECORD)
