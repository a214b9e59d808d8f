import pytest

from serving.versions.push_rules import Compared, PushRefused, check, next_version
from serving.versions.pushed import MAXIMUM_VERSION
from serving.versions.rolled_back import RolledBack
from transform_module.errors import UserError
from transform_module.files.sums import digest

FILES = {"saved_model.pb": "1"}


def refusal(compared, newest="", rolled_back=()):
    with pytest.raises(PushRefused) as refused:
        check(compared, newest, rolled_back, "cxr")
    return str(refused.value)


@pytest.mark.parametrize("version", ["", "17"])
def test_what_was_compared_with_the_newest_version_may_be_pushed(version):
    check(Compared(FILES, version), version, (), "cxr")


def test_what_was_compared_with_another_may_not():
    message = refusal(Compared(FILES, "17"), "18")
    assert message == (
        "it was compared with version 17, and cxr holds version 18 now; run again to compare it "
        "with that"
    )
    assert "with no version, and cxr holds version 18 now" in refusal(Compared(FILES), "18")
    assert "with version 17, and cxr holds no whole version now" in refusal(Compared(FILES, "17"))


@pytest.mark.parametrize("left", [RolledBack(7, digest(FILES)), RolledBack(7, "another", "recipe")])
def test_what_was_rolled_back_may_not_unless_that_is_set(left):
    message = refusal(Compared(FILES, recipe="recipe"), rolled_back=[RolledBack(6, "x"), left])
    assert "rolled back as version 7 in cxr" in message
    assert "--set push.again=true" in message
    check(Compared(FILES, recipe="recipe", again=True), "", [left], "cxr")


def test_setting_it_excuses_from_no_comparison():
    assert "compared with no version" in refusal(Compared(FILES, again=True), "18")


def test_the_next_version_is_the_time_or_one_more():
    assert next_version(100, 0, "cxr") == 100
    assert next_version(100, 100, "cxr") == 101
    assert next_version(100, MAXIMUM_VERSION - 1, "cxr") == MAXIMUM_VERSION
    with pytest.raises(UserError, match=f"cxr/{MAXIMUM_VERSION} is the highest version"):
        next_version(100, MAXIMUM_VERSION, "cxr")
