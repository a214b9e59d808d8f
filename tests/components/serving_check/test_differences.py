import pytest

from components.serving_check.differences import against_evaluator
from serving.analysis.predicted import PredictedImage
from serving.model import Prediction


def found(predicted_distance, served_distance):
    predicted = PredictedImage(
        "a.png", "p", True, "", 0.75, True, domain_distance=predicted_distance, sha256="f" * 64
    )
    prediction = Prediction(0.75, "PNEUMONIA", True, True, served_distance)
    return list(against_evaluator([predicted], [prediction], 0.5, "over REST"))


@pytest.mark.parametrize("distances", [(1.25, 1.25), (1.25, 1.2501), (None, None)])
def test_the_same_distance_is_not_a_finding(distances):
    assert found(*distances) == []


@pytest.mark.parametrize("distances", [(1.25, 1.3), (1.25, None), (None, 1.25)])
def test_another_distance_from_the_training_images_is_found(distances):
    (sentence,) = found(*distances)
    assert sentence.startswith("over REST, image ffffffffffff: the distance from the training")
