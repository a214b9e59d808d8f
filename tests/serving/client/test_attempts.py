import pytest

from serving.client import attempts
from serving.client.attempts import Attempts
from serving.client.call_errors import Refused, Unavailable


@pytest.fixture
def at(monkeypatch):
    """Sets the time."""

    class Clock:
        now = 100.0

    monkeypatch.setattr(attempts.time, "monotonic", lambda: Clock.now)
    return Clock


@pytest.fixture
def jitter(monkeypatch):
    """Records what is jittered, and takes the most."""
    calls = []

    def uniform(low, high):
        calls.append((low, high))
        return high

    monkeypatch.setattr(attempts.random, "uniform", uniform)
    return calls


@pytest.mark.usefixtures("at")
def test_pauses_double_up_to_a_limit(jitter):
    made = Attempts(timeout=100, retries=9)
    pauses = [made.pause_after(Unavailable("")) for _ in range(8)]
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5])
    assert jitter == [(0.5, 1)] * 8


@pytest.mark.usefixtures("at")
def test_clients_do_not_come_back_together():
    pauses = {Attempts(timeout=100, retries=1).pause_after(Unavailable("")) for _ in range(50)}
    assert len(pauses) > 40
    assert all(0.05 <= pause <= 0.1 for pause in pauses)


@pytest.mark.usefixtures("at", "jitter")
def test_a_server_that_wants_a_longer_pause_gets_it():
    made = Attempts(timeout=100, retries=2)
    assert made.pause_after(Unavailable("", retry_after=7)) == 7
    assert made.pause_after(Unavailable("", retry_after=0)) == 0.2


@pytest.mark.usefixtures("jitter")
def test_no_pause_goes_beyond_the_deadline(at):
    made = Attempts(timeout=10, retries=9)
    at.now += 9.85
    assert made.left() == pytest.approx(0.15)
    assert made.pause_after(Unavailable("")) == pytest.approx(0.1)
    error = Unavailable("full.")
    with pytest.raises(Unavailable) as caught:
        made.pause_after(error)
    assert caught.value is error
    assert str(error) == "full. It was tried 2 times."


@pytest.mark.usefixtures("at", "jitter")
def test_the_retries_are_counted():
    made = Attempts(timeout=100, retries=1)
    made.pause_after(Unavailable(""))
    with pytest.raises(Unavailable, match=r"tried 2 times\.$"):
        made.pause_after(Unavailable(""))
    with pytest.raises(Unavailable):
        Attempts(timeout=100, retries=0).pause_after(Unavailable(""))


@pytest.mark.usefixtures("at", "jitter")
def test_what_cannot_be_retried_is_raised():
    with pytest.raises(Refused, match=r"^no$"):
        Attempts(timeout=100, retries=9).pause_after(Refused("no"))
