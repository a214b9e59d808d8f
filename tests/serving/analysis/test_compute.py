import json

import numpy as np
import pytest

from serving.analysis import findings as contract
from serving.analysis.bootstrap import Bootstrap
from serving.analysis.compute import Other, findings, shift
from tests.serving.analysis.samples import clustered, predicted
from transform_module.errors import UserError

BOOTSTRAP = Bootstrap(replicates=100)


def compute(images, **options):
    given = {"model": "m/1", "record": {"threshold": 0.5}, "data": "test", "threshold": 0.5}
    return findings(images, bootstrap=BOOTSTRAP, **given | options)


@pytest.fixture(scope="module")
def images():
    return clustered(np.random.default_rng(0), patients=60)[0]


def test_all_findings_are_written_and_read(images, tmp_path):
    other = Other("m/0", 0.4, 1 - images.probability, np.ones(len(images), bool))
    found = compute(images, other=other)
    (tmp_path / contract.FINDINGS).write_text(contract.to_json(found))
    read = contract.read(tmp_path / contract.FINDINGS)
    assert json.loads(contract.to_json(read)) == json.loads(contract.to_json(found))


def test_counts_agree(images):
    found = compute(images)
    confusion = found.confusion
    assert sum(vars(confusion).values()) == found.overall.images == found.images == 180
    assert confusion.true_positives + confusion.false_negatives == found.overall.positives
    assert len(found.misses) == confusion.false_positives + confusion.false_negatives
    assert sum(each.images for each in found.reliability) == 180
    assert found.delong.value == pytest.approx(found.overall.auc.value)
    assert found.delong.low == pytest.approx(found.overall.auc.low, abs=0.03)


def test_the_same_images_give_the_same_findings(images):
    assert compute(images) == compute(images)


def test_what_could_not_be_decoded_is_counted_and_left_out():
    found = compute(predicted([1, 0, 1, 0], [0.9, 0.1, 0.5, 0.5], valid=[True, True, False, False]))
    assert (found.images, found.invalid, found.overall.images) == (4, 2, 2)
    assert found.overall.auc.value == 1


@pytest.mark.parametrize(("label", "missing"), [([1, 1], "NORMAL"), ([0, 0], "PNEUMONIA")])
def test_one_class_is_refused(label, missing):
    with pytest.raises(UserError, match=f"none of them shows {missing}"):
        compute(predicted(label, [0.5, 0.5]))


def test_nothing_that_can_be_predicted_is_refused():
    with pytest.raises(UserError, match="2 images 0 can be evaluated"):
        compute(predicted([1, 0], [0.5, 0.5], valid=[False, False]))


def test_the_most_certain_of_the_wrong_predictions_come_first():
    found = compute(predicted([1, 1, 0, 0, 1], [0.4, 0.01, 0.8, 0.95, 0.9]))
    assert [(each.path, each.label, each.probability) for each in found.misses] == [
        ("0001.png", "PNEUMONIA", 0.01),
        ("0003.png", "NORMAL", 0.95),
        ("0002.png", "NORMAL", 0.8),
        ("0000.png", "PNEUMONIA", 0.4),
    ]


def test_certainty_is_counted_from_the_threshold():
    found = compute(predicted([1, 0, 1, 0], [0.01, 0.5, 0.9, 0.05]), threshold=0.1)
    # 0.01 leaves a tenth of its side of the threshold, 0.5 more than half of its own.
    assert [each.probability for each in found.misses] == [0.01, 0.5]


def test_a_domain_that_is_reported_is_counted():
    found = compute(
        predicted([1, 0, 1, 0], [0.9, 0.1, 0.8, 0.2], in_domain=[True, True, False, True])
    )
    assert (found.domain.images, found.domain.flagged, found.domain.share.value) == (4, 1, 0.25)
    assert compute(predicted([1, 0], [0.9, 0.1])).domain is None


def test_a_triage_that_is_reported_is_measured_patient_by_patient():
    found = compute(
        predicted(
            [1, 1, 1, 1, 0, 0, 0],
            [0.9, 0.8, 0.1, 0.5, 0.1, 0.2, 0.9],
            triage=["PNEUMONIA"] * 2 + ["NORMAL", "REVIEW", "NORMAL", "REVIEW", "PNEUMONIA"],
            patient=list("aaabcde"),
        )
    ).triage
    assert (found.images, found.review, found.decided.value) == (7, 2, pytest.approx(5 / 7))
    assert found.accuracy.value == pytest.approx(3 / 5)
    # A third of the images of one of two patients, and all images of one of three.
    assert found.missed_pneumonia.value == pytest.approx(1 / 6)
    assert found.false_alarms.value == pytest.approx(1 / 3)
    assert found.false_alarms.low < 1 / 3 < found.false_alarms.high


def test_a_triage_that_decides_nothing_has_no_accuracy():
    found = compute(predicted([1, 0], [0.9, 0.1], triage=["REVIEW"] * 2)).triage
    assert (found.decided.value, found.accuracy) == (0, contract.Estimate())
    assert (found.missed_pneumonia.value, found.false_alarms.value) == (0, 0)


def test_a_model_without_a_triage_has_none():
    assert compute(predicted([1, 0], [0.9, 0.1])).triage is None


def test_models_are_compared_on_what_both_can_decode():
    images = predicted([1, 1, 0, 0, 1], [0.9, 0.8, 0.3, 0.1, 0.5], valid=[True] * 4 + [False])
    probability = np.array([0.9, 0.2, 0.3, 0.1, 0.0])
    other = Other("m/0", 0.5, probability, np.array([True] * 5))
    found = compute(images, other=other).comparison
    assert (found.against, found.auc.value) == ("m/0", 0.25)
    assert found.differences["sensitivity"].value == 0.5


def test_a_shifted_set_shows_its_drop():
    label = np.array([True, True, False, False])
    before, after = np.array([0.9, 0.8, 0.2, 0.1]), np.array([0.9, 0.15, 0.2, 0.1])
    found = shift("crop", label, after, before, 0.5)
    assert (found.kind, found.images) == ("crop", 4)
    assert (found.auc, found.auc_drop, found.sensitivity, found.specificity) == (0.75, 0.25, 0.5, 1)


def test_a_shifted_set_of_one_class_has_no_auc():
    label, predictions = np.array([True, True]), np.array([0.9, 0.2])
    found = shift("crop", label, predictions, predictions, 0.5)
    assert (found.auc, found.auc_drop, found.specificity) == (None, None, None)
