"""The served network as Keras's own layers, without its weights."""

import hashlib
import json
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf

from trainer_module.decision.calibration import LEAST, Calibration
from trainer_module.networks import ensemble, layers
from transform_module.contract import ARCHITECTURE, PROBABILITY

_STOCK = {
    layers.BatchNormalization: keras.layers.BatchNormalization,
    layers.Dropout: keras.layers.Dropout,
}


def write(model: keras.Model, calibration: Calibration, directory: Path) -> None:
    """Writes the network beside the SavedModel that holds its weights, some hundred KB at most.

    The weights are not written again: each is named by its key in the SavedModel's checkpoint.

    Args:
        model: as `trainer_module.networks.building.build` makes it.
        calibration: of the model's probabilities.
        directory: of the SavedModel.
    """
    served = stock(model, calibration)
    contents = {
        "keras": keras.__version__,
        "variables": _keys(served, directory),
        "model": json.loads(served.to_json()),
    }
    (directory / ARCHITECTURE).write_text(json.dumps(contents) + "\n")


def stock(model: keras.Model, calibration: Calibration) -> keras.Model:
    """Builds a model with the same weights of layers that Keras itself has, calibrated.

    Args:
        model: pixels in, probability [N, 1] out.
        calibration: of the model's probabilities.

    Returns:
        Pixels [N, size, size, 1] float32 in [0, 1] in, calibrated probability [N, 1] out.
    """
    is_nested = any(isinstance(layer, keras.Model) for layer in model.layers)
    clone = keras.models.clone_model(
        model, clone_function=_stock_layer, **({"recursive": True} if is_nested else {})
    )
    kept = keras.ops.clip(clone.outputs[0], LEAST, 1 - LEAST)
    logit = keras.ops.log(kept) - keras.ops.log1p(-kept)
    calibrated = keras.layers.Rescaling(calibration.slope, calibration.shift, name="calibration")
    outputs = keras.layers.Activation("sigmoid", name=PROBABILITY)(calibrated(logit))
    clone.get_layer(PROBABILITY).name = "uncalibrated"
    served = keras.Model(clone.inputs, outputs, name=model.name)
    served.set_weights(model.get_weights())
    return served


def _stock_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    if isinstance(layer, ensemble.Logit):
        return _logit(layer.name)
    kind = _STOCK.get(type(layer), type(layer))
    return cast(keras.layers.Layer, kind.from_config(layer.get_config()))


def _logit(name: str) -> keras.Model:
    probability = keras.Input((1,))
    return keras.Model(probability, ensemble.logit(probability), name=name)


def _keys(model: keras.Model, directory: Path) -> list[str]:
    """Finds the weights in the checkpoint by their values, which no naming of variables changes."""
    reader = tf.train.load_checkpoint(str(directory / "variables" / "variables"))
    types = reader.get_variable_to_dtype_map()
    keys = {
        _fingerprint(reader.get_tensor(key)): key
        for key in types
        if types[key].is_floating and key.endswith("VARIABLE_VALUE")
    }
    return [keys[_fingerprint(weight)] for weight in model.get_weights()]


def _fingerprint(value: np.ndarray) -> tuple[Any, ...]:
    return value.shape, str(value.dtype), hashlib.sha256(np.ascontiguousarray(value).data).digest()
