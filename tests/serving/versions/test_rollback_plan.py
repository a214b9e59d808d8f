import json

import pytest

from serving.versions import pushed
from serving.versions.rollback_plan import plan
from serving.versions.rolled_back import RolledBack
from transform_module.errors import UserError
from transform_module.files.sums import digest


@pytest.fixture
def make(tmp_path):
    """Makes versions by the name of their model; None is one without a manifest."""

    def make(**models):
        for name, model in models.items():
            path = tmp_path / name.removeprefix("v")
            path.mkdir()
            if model:
                message = {
                    "version": int(path.name),
                    "recipe": f"recipe {model}",
                    "files": {"f": model},
                }
                (path / pushed.MANIFEST).write_text(json.dumps(message))
        return [
            pushed.PushedVersion(int(name.removeprefix("v")), tmp_path / name.removeprefix("v"))
            for name in models
        ]

    return make


def planned(versions, to=None, *, broken=(), known=()):
    return plan(
        versions,
        to,
        known,
        verify=lambda each: [f"{each.version}: damaged"] * (each.version in broken),
        place="cxr",
    )


@pytest.mark.parametrize(
    ("models", "to", "broken", "chosen", "left"),
    [
        ({"v1": "a", "v2": "b"}, None, (), 1, [2]),
        ({"v1": "a", "v2": "b", "v3": "c"}, 1, (), 1, [3]),
        # 4 came of a rollback to 2.
        ({"v1": "a", "v2": "b", "v3": "c", "v4": "b"}, None, (), 1, [4]),
        ({"v1": "a", "v2": "b", "v3": "c"}, None, (3,), 2, [3]),
        ({"v1": "a", "v2": "b", "v3": None}, None, (3,), 2, [3]),
        ({"v1": "a", "v2": "b", "v3": "c"}, None, (2, 3), 1, [2, 3]),
        # 2 is what is restored.
        ({"v1": "a", "v2": "a", "v3": "b"}, 1, (3,), 1, [3]),
    ],
)
def test_what_is_chosen_and_what_is_left(make, models, to, broken, chosen, left):
    found = planned(make(**models), to, broken=broken)
    assert found.chosen.version == chosen
    assert found.files == {"f": models[f"v{chosen}"]}
    assert found.record == {"recipe": f"recipe {models[f'v{chosen}']}", "restores": chosen}
    assert [each.version for each in found.rolled_back] == left


def test_what_is_restored_is_forgotten_and_the_rest_remembered(make):
    known = [RolledBack(1, digest({"f": "a"})), RolledBack(9, "other")]
    found = planned(make(v1="a", v2="b"), 1, known=known)
    left = RolledBack(2, digest({"f": "b"}), "recipe b")
    assert found.rolled_back == [known[1], left]


@pytest.mark.parametrize(
    ("models", "broken", "chosen", "left"),
    [
        # 3 came of a rollback from 2 to 1.
        ({"v1": "a", "v2": "b", "v3": "a"}, (3,), 1, []),
        # 4 was pushed again, all the same; before it 3 was served.
        ({"v1": "a", "v2": "b", "v3": "c", "v4": "a", "v5": "c"}, (), 1, [5]),
    ],
)
def test_what_was_rolled_back_is_not_chosen(make, models, broken, chosen, left):
    known = [RolledBack(2, digest({"f": "b"}))]
    found = planned(make(**models), broken=broken, known=known)
    assert found.chosen.version == chosen
    assert [each.version for each in found.rolled_back] == [2, *left]


def test_what_was_rolled_back_is_chosen_by_its_number_alone(make):
    known = [RolledBack(1, digest({"f": "a"}))]
    versions = make(v1="a", v2="b")
    for broken, which in (((2,), "in cxr that is whole"), ((), "before 2")):
        with pytest.raises(UserError, match=f"version {which} was rolled back; .*: --to 1$"):
            planned(versions, broken=broken, known=known)
        assert planned(versions, 1, broken=broken, known=known).chosen.version == 1


@pytest.mark.parametrize(
    ("models", "to", "broken", "said"),
    [
        ({}, None, (), "cxr: there is no pushed version to go back to"),
        ({"v1": "a"}, None, (), "no version before 1"),
        ({"v1": "a", "v2": "b"}, 3, (), r"there is no version 3\. There are 1, 2"),
        ({"v1": "a", "v2": "b"}, 2, (), "version 2 is what is served already"),
        ({"v1": "a", "v2": "b", "v3": "c"}, None, (2,), "2: damaged.*go back to another: --to 1$"),
        ({"v1": "a", "v2": "b"}, None, (1,), "1: damaged.*go back to another: --to$"),
        ({"v1": "a", "v2": "b"}, None, (1, 2), "2: damaged. No version in cxr is whole"),
    ],
)
def test_what_cannot_be_is_reported(make, models, to, broken, said):
    with pytest.raises(UserError, match=said):
        planned(make(**models), to, broken=broken)
