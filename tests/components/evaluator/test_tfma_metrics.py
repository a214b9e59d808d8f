import json

import numpy as np
import pytest
import tensorflow_model_analysis as tfma

from components.evaluator.tfma_metrics import eval_config


def thresholds(config):
    """The threshold of each metric that has one."""
    found = {}
    for spec in config.metrics_specs:
        for metric in spec.metrics:
            options = json.loads(metric.config)
            given = options.get("threshold", options.get("thresholds"))
            if given is not None:
                found[options["name"]] = given[0] if isinstance(given, list) else given
    return found


@pytest.mark.parametrize("threshold", [0.5, 0.3, 1e-6, 0.999999])
def test_a_probability_equal_to_the_threshold_is_positive_and_the_next_smaller_is_not(threshold):
    equal = np.float32(threshold)
    smaller = np.nextafter(equal, np.float32(0))
    used = thresholds(eval_config(threshold))
    assert set(used) == {"accuracy", "sensitivity", "specificity", "confusion_matrix"}
    # TFMA takes for positive what is above its threshold.
    assert all(equal > value and not smaller > value for value in used.values())


def test_each_of_two_models_has_its_own_threshold():
    config = eval_config(0.3, baseline_threshold=0.6)
    assert [(spec.name, spec.is_baseline) for spec in config.model_specs] == [
        (tfma.CANDIDATE_KEY, False),
        (tfma.BASELINE_KEY, True),
    ]
    for name, threshold in ((tfma.CANDIDATE_KEY, 0.3), (tfma.BASELINE_KEY, 0.6)):
        own = [spec for spec in config.metrics_specs if list(spec.model_names) == [name]]
        assert len(own) == 2
        used = thresholds(tfma.EvalConfig(metrics_specs=own))
        assert set(used.values()) == {float(np.nextafter(np.float32(threshold), np.float32(0)))}


def test_the_signature_on_examples_is_evaluated_and_no_keras_model():
    (spec,) = eval_config(0.5).model_specs
    assert spec.signature_name == "serve_examples"
    assert spec.model_type == tfma.TF_GENERIC
    assert (spec.prediction_key, spec.label_key) == ("probability", "label")


def test_slices_are_all_images_and_each_subtype():
    slices = [list(spec.feature_keys) for spec in eval_config(0.5).slicing_specs]
    assert slices == [[], ["subtype"]]


def test_every_metric_counts_predicted_rows_alone_but_for_the_number_of_rows():
    predicted, every_row = eval_config(0.5).metrics_specs
    assert predicted.example_weights.weighted
    assert every_row.example_weights.unweighted
    assert [json.loads(metric.config)["name"] for metric in every_row.metrics] == ["rows"]
