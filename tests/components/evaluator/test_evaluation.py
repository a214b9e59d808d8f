import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.evaluator.evaluation import (
    EVALUATION,
    OVERALL,
    Evaluation,
    Metrics,
    evaluation_json,
    read_evaluation,
    refusals,
)
from components.evaluator.settings import EvaluationSettings
from transform_module.errors import UserError

SETTINGS = EvaluationSettings(
    minimum_auc=0.9,
    minimum_sensitivity=0.8,
    maximum_auc_drop=0.01,
    maximum_sensitivity_drop=0.05,
    maximum_invalid_share=0.1,
)
GOOD = Metrics(examples=100, auc=0.95, sensitivity=0.9, true_positives=45, false_negatives=5)
SHARES = st.floats(0, 1)


def changed(**values):
    return dataclasses.replace(GOOD, **values)


def reasons(model, baseline=None, settings=SETTINGS):
    return list(refusals(model, baseline, settings))


def test_the_images_of_a_class_are_those_found_and_those_missed():
    counted = changed(true_negatives=40, false_positives=10)
    assert (counted.positives, counted.negatives) == (50, 50)


@pytest.mark.parametrize(("former", "is_refused"), [(0.96, False), (0.9601, True)])
def test_a_drop_is_refused_as_soon_as_it_is_larger_than_allowed(former, is_refused):
    assert bool(reasons(GOOD, changed(auc=former))) == is_refused


def test_a_model_within_every_bound_is_not_refused():
    assert reasons(GOOD, GOOD) == []


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (changed(auc=0.8999), "AUC 0.8999 is below the floor 0.9 on slice Overall"),
        (changed(sensitivity=0.5), "sensitivity 0.5000 is below the floor 0.8 on slice Overall"),
        (
            changed(invalid=12),
            "invalid images 12 of 112 are more than the allowed share 0.1 on slice Overall",
        ),
    ],
)
def test_a_missed_bound_is_reported_with_metric_value_and_bound(model, reason):
    assert reasons(model) == [reason]


@pytest.mark.parametrize(
    ("better", "reason"),
    [
        (
            changed(auc=0.97),
            "AUC 0.9500 is 0.0200 below the pushed model's 0.9700 (allowed drop 0.01) "
            "on slice Overall",
        ),
        (
            changed(sensitivity=1.0),
            "sensitivity 0.9000 is 0.1000 below the pushed model's 1.0000 (allowed drop 0.05) "
            "on slice Overall",
        ),
    ],
)
def test_a_fall_below_the_pushed_model_is_reported_with_both_values(better, reason):
    assert reasons(GOOD, better) == [reason]


@pytest.mark.parametrize(
    ("model", "baseline"),
    [
        (changed(auc=0.9), None),
        (changed(sensitivity=0.8), None),
        (changed(examples=90, invalid=10), None),
        (GOOD, changed(auc=0.96)),
        # 0.91 - 0.9 is more than 0.01 in binary.
        (changed(auc=0.9), changed(auc=0.91)),
        (GOOD, changed(sensitivity=0.95)),
    ],
)
def test_what_is_equal_to_a_bound_holds(model, baseline):
    assert reasons(model, baseline) == []


def test_every_missed_bound_is_reported():
    assert len(reasons(changed(auc=0.5, sensitivity=0.1, invalid=900), GOOD)) == 5


@pytest.mark.parametrize("name", ["AUC", "sensitivity"])
def test_an_undefined_metric_reaches_no_floor(name):
    model = changed(**{name.lower(): None, "true_positives": 0, "false_negatives": 0})
    (reason,) = reasons(model, GOOD)
    assert reason.startswith(f"{name} is undefined on slice Overall with 0 negatives and 0 posit")


def test_a_metric_that_only_the_pushed_model_leaves_undefined_is_not_compared():
    """As where the pushed model's probabilities are not numbers."""
    found = reasons(GOOD, changed(auc=None, sensitivity=None))
    assert [reason.split()[0] for reason in found] == ["AUC", "sensitivity"]
    assert all(
        "cannot be compared, since the pushed model's is undefined" in each for each in found
    )


def test_a_split_without_any_image_is_refused_by_both_floors():
    assert len(reasons(Metrics())) == 2


SETTINGS_OF_ANY_KIND = st.builds(
    EvaluationSettings,
    minimum_auc=SHARES,
    minimum_sensitivity=SHARES,
    maximum_auc_drop=SHARES,
    maximum_sensitivity_drop=SHARES,
    maximum_invalid_share=SHARES,
)


@given(SETTINGS_OF_ANY_KIND, st.data())
def test_a_model_at_least_as_good_as_every_bound_is_never_refused(settings, data):
    former = Metrics(auc=data.draw(SHARES), sensitivity=data.draw(SHARES))

    def at_least(*bounds):
        return data.draw(st.floats(max(bounds), 1))

    examples = data.draw(st.integers(0, 1000))
    model = Metrics(
        examples=examples,
        invalid=0,
        auc=at_least(settings.minimum_auc, former.auc - settings.maximum_auc_drop),
        sensitivity=at_least(
            settings.minimum_sensitivity, former.sensitivity - settings.maximum_sensitivity_drop
        ),
    )
    assert reasons(model, former, settings) == []


@given(SETTINGS_OF_ANY_KIND, SHARES)
def test_a_model_below_a_floor_is_always_refused(settings, auc):
    refused = any("AUC" in reason for reason in reasons(changed(auc=auc), None, settings))
    assert refused == (auc < settings.minimum_auc)


FIGURES = st.none() | SHARES
METRICS = st.builds(
    Metrics,
    examples=st.integers(0),
    auc=FIGURES,
    sensitivity=FIGURES,
    ece=FIGURES,
    false_negatives=st.integers(0),
)


@given(
    st.builds(
        Evaluation,
        threshold=SHARES,
        blessed=st.booleans(),
        reasons=st.lists(st.text()),
        notes=st.lists(st.text()),
        slices=st.dictionaries(st.text(), METRICS),
        baseline=st.none() | METRICS,
    )
)
def test_an_evaluation_survives_its_file(tmp_path_factory, evaluation):
    folder = tmp_path_factory.getbasetemp()
    (folder / EVALUATION).write_text(evaluation_json(evaluation), encoding="utf-8")
    assert read_evaluation(folder) == evaluation


def test_the_file_is_json_that_other_programs_read():
    content = json.loads(evaluation_json(Evaluation(0.5, True, slices={OVERALL: GOOD})))
    assert content["slices"]["Overall"]["auc"] == 0.95


def test_a_figure_that_json_does_not_know_is_never_written():
    with pytest.raises(ValueError, match="JSON compliant"):
        evaluation_json(Evaluation(0.5, True, slices={OVERALL: changed(auc=float("nan"))}))


@pytest.mark.parametrize("content", [None, "{"])
def test_an_evaluation_that_cannot_be_read_is_reported_with_the_way_out(tmp_path, content):
    if content:
        (tmp_path / EVALUATION).write_text(content)
    with pytest.raises(UserError, match=r"evaluation\.json: no evaluation .* run the pipeline"):
        read_evaluation(tmp_path)
