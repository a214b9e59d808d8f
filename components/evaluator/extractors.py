"""Rows of TFMA's metrics: predictions recorded, and weights by validity in place of images."""

from collections.abc import Callable
from typing import Any, Final

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis import constants

# tfma.EvalConfig and its parts are there only once TFX has been imported.
from tensorflow_model_analysis.proto import config_pb2

from serving.analysis.predicted import UNDECIDED, PredictedImage
from serving.evaluate.pixels import describe
from serving.images.patients import UNKNOWN_SUBTYPE
from transform_module import contract

_UNUSED: Final = (tfma.INPUT_KEY, constants.TRANSFORMED_FEATURES_KEY)
"""What no metric needs, and is nearly all of a row's bytes beside the image."""


def extractors(
    models: list[Any],
    config: config_pb2.EvalConfig,
    record: Callable[[list[PredictedImage]], None],
) -> list[tfma.extractors.Extractor]:
    """Inserts our extractor into TFMA's.

    A row whose image the evaluated model calls undecodable (``valid`` false) has weight 0, so
    that no metric counts the probability that is there; the number of such rows is the rows
    less the weights. The baseline is evaluated on the same rows, with UNDECIDED for those that only
    it cannot decode. Serialized examples and images are dropped, since nothing after the prediction
    needs them.

    Args:
        models: the model, or the model and its baseline.
        config: TFMA's configuration.
        record: gets all images with their predictions, in any order; a worker calls it.

    Returns:
        TFMA's extractors, with ours after the rows are split and before they are sliced.
    """
    *before, slice_keys = tfma.default_extractors(eval_shared_model=models, eval_config=config)
    recorded = tfma.extractors.Extractor(
        stage_name="RecordPredictions", ptransform=_recorded(record)
    )
    return [*before, recorded, slice_keys]


@beam.ptransform_fn
def _recorded(
    extracts: beam.PCollection,
    record: Callable[[list[PredictedImage]], None],
) -> beam.PCollection:
    _ = (
        extracts
        | "Predicted" >> beam.Map(_predicted)
        | "Gather" >> beam.combiners.ToList()
        | "Record" >> beam.Map(record)
    )
    return extracts | "WeighByValidity" >> beam.Map(_weigh_by_validity)


def _predicted(extracts: dict[str, Any]) -> PredictedImage:
    example = tf.train.Example.FromString(np.asarray(extracts[tfma.INPUT_KEY]).item())
    values = example.features.feature

    def text(name: str) -> str:
        found = values[name].bytes_list.value
        return bytes(found[0]).decode(errors="replace") if found else ""

    def probability(prediction: dict[str, Any]) -> float:
        return prediction[contract.PROBABILITY].item() if _is_valid(prediction) else UNDECIDED

    def known(name: str) -> Any:
        value = prediction[name].item() if name in prediction else None
        return value.decode() if isinstance(value, bytes) else value

    image = values[contract.IMAGE].bytes_list.value
    content = bytes(image[0]) if image else b""
    prediction = _candidate(extracts)
    other = extracts[tfma.PREDICTIONS_KEY].get(tfma.BASELINE_KEY)
    subtype = text(contract.SUBTYPE)
    return PredictedImage(
        path=text(contract.FILENAME),
        patient=text(contract.PATIENT_ID),
        label=bool(values[contract.LABEL].int64_list.value[0]),
        subtype="" if subtype == UNKNOWN_SUBTYPE else subtype,
        probability=probability(prediction),
        valid=_is_valid(prediction),
        in_domain=known(contract.IN_DOMAIN),
        domain_distance=known(contract.DOMAIN_DISTANCE),
        triage=known(contract.TRIAGE),
        bytes=len(content),
        sha256=text(contract.SHA256),
        **(describe(content, _pixels(extracts)) if _is_valid(prediction) else {}),
        other_probability=probability(other) if other else None,
        other_valid=_is_valid(other) if other else None,
    )


def _candidate(extracts: dict[str, Any]) -> dict[str, Any]:
    predictions = extracts[tfma.PREDICTIONS_KEY]
    prediction: dict[str, Any] = predictions.get(tfma.CANDIDATE_KEY, predictions)
    return prediction


def _pixels(extracts: dict[str, Any]) -> np.ndarray:
    """[size, size, 1] uint8, as `serving.model.Model.pixels`."""
    pixels = extracts[constants.TRANSFORMED_FEATURES_KEY][contract.IMAGE_XF]
    return np.round(pixels * 255).astype(np.uint8)


def _is_valid(prediction: dict[str, Any]) -> bool:
    return bool(np.all(prediction[contract.VALID]))


def _weigh_by_validity(extracts: dict[str, Any]) -> dict[str, Any]:
    valid = _is_valid(_candidate(extracts))
    kept = {name: value for name, value in extracts.items() if name not in _UNUSED}
    kept[tfma.FEATURES_KEY] = {
        name: value for name, value in extracts[tfma.FEATURES_KEY].items() if name != contract.IMAGE
    }
    kept[tfma.EXAMPLE_WEIGHTS_KEY] = np.array([float(valid)])
    return kept
