"""Predictions and latency of a network, image by image, as on a telephone."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from serving.analysis.figures import auc_of
from serving.model import Model
from serving.progress import Progress
from serving.tflite.network_inputs import Images
from serving.tflite.record import THREADS, Measured
from transform_module import contract


@dataclass(frozen=True)
class Predictions:
    """Probability [N] float32 of pneumonia, and the median time in milliseconds."""

    probability: np.ndarray
    p50_ms: float


def of_saved_model(model: Model, images: Images, progress: Progress) -> Predictions:
    """Runs the SavedModel, in as many threads as TensorFlow takes."""
    serve_pixels = model.signature(contract.SERVE_PIXELS)

    def predict(pixels: np.ndarray) -> np.ndarray:
        out = serve_pixels(**{contract.IMAGE_XF: tf.constant(pixels)})
        return np.asarray(out[contract.PROBABILITY].numpy())

    return _measured(predict, images.image_xf, progress)


def of_file(content: bytes, images: Images, progress: Progress) -> Predictions:
    """Runs a TFLite file, in THREADS threads.

    Args:
        content: of the file.
        images: its inputs; it gets the type that its input has.
        progress: gets the images done and their total.
    """
    interpreter = Interpreter(model_content=content, num_threads=THREADS)
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()

    def predict(pixels: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(taken["index"], pixels)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(given["index"]))

    is_whole = taken["dtype"] == np.uint8
    return _measured(predict, images.grey_levels if is_whole else images.image_xf, progress)


def compare(
    predictions: Predictions, reference: Predictions, labels: np.ndarray | None
) -> Measured:
    """Compares predictions with the SavedModel's of the same images."""
    return Measured(
        auc=None if labels is None else auc_of(labels == 1, predictions.probability),
        p50_ms=predictions.p50_ms,
        largest_difference=float(np.abs(predictions.probability - reference.probability).max()),
    )


def _measured(
    predict: Callable[[np.ndarray], np.ndarray], pixels: np.ndarray, progress: Progress
) -> Predictions:
    predict(pixels[:1])
    probability = np.empty(len(pixels), np.float32)
    seconds = np.empty(len(pixels))
    for index in range(len(pixels)):
        started = time.perf_counter()
        probability[index] = predict(pixels[index : index + 1])[0]
        seconds[index] = time.perf_counter() - started
        progress(index + 1, len(pixels))
    return Predictions(probability, 1000 * float(np.median(seconds)))
