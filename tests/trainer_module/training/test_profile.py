import pytest
import tensorflow as tf

from trainer_module.training.profile import profiled


@pytest.fixture
def events(monkeypatch):
    """What happens, the profiler's start and stop among it."""
    events = []
    monkeypatch.setattr(tf.profiler.experimental, "start", lambda _: events.append("start"))
    monkeypatch.setattr(tf.profiler.experimental, "stop", lambda: events.append("stop"))
    return events


@pytest.mark.parametrize(
    ("steps", "first", "last"), [(1, 0, 0), (2, 1, 1), (3, 1, 2), (12, 5, 11), (40, 5, 14)]
)
def test_some_steps_after_the_first_are_profiled_and_none_is_lost(
    events, tmp_path, steps, first, last
):
    for batch in profiled(range(steps), tmp_path, steps=steps):
        events.append(batch)
    inside = range(first, last + 1)
    assert events == [*range(first), "start", *inside, "stop", *range(last + 1, steps)]


def test_the_profiler_is_stopped_where_a_step_fails(events, tmp_path):
    batches = profiled(range(40), tmp_path, steps=40)
    for _ in range(8):
        next(batches)
    batches.close()
    assert events == ["start", "stop"]


def test_the_profile_is_where_tensorboard_looks_and_knows_the_steps(tmp_path):
    for batch in profiled(iter([tf.ones((8, 8))] * 4), tmp_path, steps=4):
        tf.linalg.matmul(batch, batch)
    (profile,) = tmp_path.glob("plugins/profile/*/*.xplane.pb")
    content = profile.read_bytes()
    assert b"train" in content
    assert b"MatMul" in content
