import gc

import pytest

from components.collector import importing


@pytest.fixture(autouse=True)
def as_before():
    yield
    gc.enable()
    gc.unfreeze()


def test_nothing_is_collected_within():
    with importing():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_was_made_is_never_searched():
    with importing():
        made = [[] for _ in range(1000)]
    assert gc.get_freeze_count() >= len(made)
    assert not any(each is made for each in gc.get_objects())


def test_a_failed_import_leaves_it_on():
    with pytest.raises(ImportError), importing():
        raise ImportError
    assert gc.isenabled()


def test_who_has_turned_it_off_finds_it_off():
    gc.disable()
    with importing():
        pass
    assert not gc.isenabled()
