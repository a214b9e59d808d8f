"""Warm-up requests, which a server runs before it serves a version."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from transform_module import contract

_SIDE = 320


def write_requests(directory: Path) -> None:
    """Writes one request of ``serving_default`` for each batch size that a server runs.

    Without them the first request of each size after a start or a reload waits for TensorFlow's own
    preparations. The format is TensorFlow Serving's: TFRecords of PredictionLog
    (https://www.tensorflow.org/tfx/serving/saved_model_warmup).

    Args:
        directory: the SavedModel's folder.
    """
    image = _image()
    path = directory / contract.WARMUP_REQUESTS
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for size in contract.SERVING_BATCH_SIZES:
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = contract.SERVING_DEFAULT
            request.inputs[contract.IMAGE_BYTES].CopyFrom(tf.make_tensor_proto([image] * size))
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())


def _image() -> bytes:
    ramp = np.linspace(0, 255, _SIDE, dtype=np.uint8)
    pixels = np.broadcast_to(ramp[:, np.newaxis, np.newaxis], (len(ramp), len(ramp), 1))
    return bytes(tf.io.encode_jpeg(pixels).numpy())
