import pytest

from trainer_module.settings.trainer import TrainerSettings
from trainer_module.training.schedule import learning_rate


def rates(steps, **settings):
    chosen = TrainerSettings(learning_rate=0.1, epochs=4, **settings)
    found = learning_rate(chosen, 10)
    return [found if isinstance(found, float) else float(found(step)) for step in steps]


def test_it_rises_by_equal_steps_and_stays():
    expected = [0.1 / 11, 0.2 / 11, 0.6 / 11, 0.1, 0.1]
    assert rates([0, 1, 5, 10, 40], warmup_epochs=1.0) == pytest.approx(expected)


@pytest.mark.parametrize("decay", ["none", "cosine"])
@pytest.mark.parametrize("warmup", [0, 0.1, 1.0, 3.5])
def test_every_step_before_the_last_learns(decay, warmup):
    found = rates(range(40), warmup_epochs=warmup, decay=decay)
    assert min(found) > 0
    assert max(found) == pytest.approx(0.1)


def test_without_a_rise_it_is_constant():
    assert rates([0, 5, 40], warmup_epochs=0) == [0.1, 0.1, 0.1]


def test_the_epochs_of_the_head_alone_are_none_of_its():
    settings = {"model": "transfer", "transfer": {"frozen_epochs": 2}, "warmup_epochs": 0}
    assert rates([0, 10, 20], **settings, decay="cosine") == pytest.approx([0.1, 0.05, 0])


@pytest.mark.parametrize(
    ("warmup", "expected"),
    [(1.0, [0.0091, 0.0545, 0.1, 0.05, 0]), (0, [0.1, 0.0962, 0.0854, 0.0309, 0])],
)
def test_the_cosine_ends_with_the_last_epoch(warmup, expected):
    found = rates([0, 5, 10, 25, 40], warmup_epochs=warmup, decay="cosine")
    assert found == pytest.approx(expected, abs=1e-3)
