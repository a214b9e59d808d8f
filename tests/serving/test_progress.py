import pytest

from serving.progress import count, listening


def heard(total, *counts):
    said = []
    with listening("stage", total, lambda *progress: said.append(progress)):
        for images in counts:
            count("stage", images)
    return said


def test_progress_goes_from_nothing_to_the_total():
    assert heard(3, 1, 2) == [(0, 3), (1, 3), (3, 3), (3, 3)]


def test_what_is_done_twice_never_exceeds_the_total():
    assert heard(3, 2, 2) == [(0, 3), (2, 3), (3, 3), (3, 3)]


def test_what_was_not_counted_is_done_at_the_end():
    assert heard(3) == [(0, 3), (3, 3)]


def test_other_stages_are_not_heard():
    said = []
    with listening("stage", 3, lambda *progress: said.append(progress)):
        count("another", 1)
    count("stage", 1)
    assert said == [(0, 3), (3, 3)]


def test_nobody_needs_to_listen():
    with listening("stage", 3, None):
        count("stage", 1)


def test_after_a_failure_nobody_listens_and_nothing_is_called_done():
    said = []
    with (
        pytest.raises(RuntimeError),
        listening("stage", 3, lambda *progress: said.append(progress)),
    ):
        raise RuntimeError
    count("stage", 1)
    assert said == [(0, 3)]
