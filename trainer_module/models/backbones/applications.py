"""Networks of ``keras.applications``, with our batch normalization."""

from collections.abc import Callable
from typing import Any, Final

import keras

from trainer_module.models.backbones import WeightsError

# The network, and what it takes a picture's 0 and 1 for.
_NETWORKS: Final = {
    "mobilenet_v2": (keras.applications.MobileNetV2, (-1.0, 1.0)),
    "efficientnet_b0": (keras.applications.EfficientNetB0, (0.0, 255.0)),
}


def features(
    name: str,
    pixels: keras.KerasTensor,
    normalization: Callable[..., keras.layers.BatchNormalization],
    weights: str,
) -> keras.KerasTensor:
    """Builds the network with its weights.

    Args:
        name: of the network.
        pixels: [N, side, side, 1] in [0, 1].
        normalization: makes a layer of batch normalization.
        weights: ``imagenet``, which Keras downloads once and keeps, or the path of a file of
            weights without the network's top.

    Returns:
        [N, side / 32, side / 32, 1280].

    Raises:
        WeightsError: the weights cannot be had.
    """
    network, (black, white) = _NETWORKS[name]
    _, *sides, _ = pixels.shape
    try:
        original = network(include_top=False, input_shape=(*sides, 3), weights=weights)
    # Without a network Keras raises a bare Exception.
    except Exception as error:
        raise WeightsError(
            f"cannot have the weights {weights} of {name} ({_first_line(error)}). Download"
            " them where there is a network and give the file's path as"
            " trainer.transfer.weights, or use the backbone efficientnet_lite0."
        ) from error

    def ours(layer: keras.layers.Layer) -> keras.layers.Layer:
        config: dict[str, Any] = layer.get_config()
        if not isinstance(layer, keras.layers.BatchNormalization):
            return layer.__class__.from_config(config)
        return normalization(epsilon=config["epsilon"], axis=config["axis"], name=config["name"])

    copy = keras.models.clone_model(original, clone_function=ours)
    copy.set_weights(original.get_weights())
    coloured = keras.layers.Concatenate()([pixels * (white - black) + black] * 3)
    return copy(coloured)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
