import numpy as np
import pytest

from trainer_module.decision import held_out
from trainer_module.decision.out_of_fold import Predictions
from trainer_module.settings.trainer import OperatingPointSettings, TrainerSettings
from trainer_module.training_error import TrainingError


def of_own_patients(probabilities, labels):
    """Each image is of another patient."""
    return Predictions(probabilities, labels, np.arange(len(labels)), np.array([]))


def predictions(shift=0.0, count=2_000, sign=1.0):
    """A model that ranks well, and whose logits are all too high by a shift."""
    generator = np.random.default_rng(5)
    labels = np.arange(count) % 2
    logits = sign * (4 * labels - 2) + 1.5 * generator.normal(size=count) + shift
    return of_own_patients((1 / (1 + np.exp(-logits))).astype(np.float32), labels)


def decide(*member_predictions, **settings):
    return held_out.decide(member_predictions, TrainerSettings(**settings))


@pytest.mark.parametrize("shift", [-3.0, 0.0, 3.0])
def test_the_threshold_is_one_of_calibrated_probabilities(shift):
    given = predictions(shift)
    decided = decide(given)
    served = decided.calibration(given.probabilities).numpy()
    assert served.mean() == pytest.approx(0.5, abs=0.01)
    found = served >= np.float32(decided.threshold)
    assert found[given.labels == 1].mean() == pytest.approx(0.95, abs=0.005)
    assert found[given.labels == 0].mean() < 0.3
    assert decided.sensitivity == pytest.approx(found[given.labels == 1].mean())
    assert decided.specificity == pytest.approx(1 - found[given.labels == 0].mean())
    assert not decided.warnings


def test_an_image_at_the_threshold_is_predicted_pneumonia():
    decided = decide(
        of_own_patients(np.array([0.25, 0.5], np.float32), np.array([0, 1])),
        calibration="none",
        operating_point=OperatingPointSettings(target="fixed", threshold=0.5),
    )
    assert (decided.sensitivity, decided.specificity) == (1, 1)


def test_a_model_that_is_worse_than_chance_is_reported():
    (warning,) = decide(predictions(sign=-1.0)).warnings
    assert "worse than chance" in warning
    assert "its AUC on the 2000 images that it did not learn from is 0.0" in warning


def test_a_model_at_chance_is_not_reported():
    labels = np.arange(10) % 2
    assert not decide(of_own_patients(np.full(10, 0.5, np.float32), labels)).warnings


def test_images_of_one_class_are_reported():
    given = predictions()
    only = given.labels == 1
    decided = decide(
        of_own_patients(given.probabilities[only], given.labels[only]),
        operating_point=OperatingPointSettings(threshold=0.4),
    )
    assert decided.threshold == 0.4
    assert decided.specificity is None
    assert "all of one class" in decided.warnings[0]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_probability_that_is_not_a_number_decides_nothing(value):
    given = predictions()
    given.probabilities[7] = value
    with pytest.raises(TrainingError, match=r"not finite numbers\. Lower trainer\.learning_rate"):
        decide(given)
