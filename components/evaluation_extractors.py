"""Input of TFMA's metrics: rows weighted by validity, without their images."""

from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma

# tfma.EvalConfig and its parts are there only once TFX has been imported.
from tensorflow_model_analysis.proto import config_pb2

from transform_module import features


def custom_extractors(
    eval_shared_model: Any, eval_config: config_pb2.EvalConfig, tensor_adapter_config: Any
) -> list[tfma.extractors.Extractor]:
    """Inserts our extractor into TFMA's. TFX's Evaluator finds it by this name.

    A row whose image the evaluated model calls undecodable (``valid`` false) has weight 0, so
    that no metric counts the probability that is there; the number of such rows is the rows
    less the weights. The baseline is evaluated on the same rows, and answers for those that only it
    cannot decode. Serialized examples and images are dropped, since nothing after the prediction
    needs them and they are nearly all of a row's bytes.

    Args:
        eval_shared_model: The model, or the model and its baseline.
        eval_config: TFMA's configuration.
        tensor_adapter_config: How TFMA reads the examples.

    Returns:
        TFMA's extractors, with ours after the rows are split and before they are sliced.
    """
    *extractors, slice_keys = tfma.default_extractors(
        eval_shared_model=eval_shared_model,
        eval_config=eval_config,
        tensor_adapter_config=tensor_adapter_config,
    )
    weigh = tfma.extractors.Extractor(
        stage_name="WeighByValidity", ptransform=beam.Map(_weigh_by_validity)
    )
    return [*extractors, weigh, slice_keys]


def _weigh_by_validity(extracts: dict[str, Any]) -> dict[str, Any]:
    predictions = extracts[tfma.PREDICTIONS_KEY]
    candidate = predictions.get(tfma.CANDIDATE_KEY, predictions)
    valid = bool(np.all(candidate[features.VALID]))
    kept = {name: value for name, value in extracts.items() if name != tfma.INPUT_KEY}
    kept[tfma.FEATURES_KEY] = {
        name: value for name, value in extracts[tfma.FEATURES_KEY].items() if name != features.IMAGE
    }
    kept[tfma.EXAMPLE_WEIGHTS_KEY] = np.array([float(valid)])
    return kept
