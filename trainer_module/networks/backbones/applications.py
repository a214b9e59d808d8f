"""Networks of ``keras.applications``, with our batch normalization."""

from collections.abc import Callable
from typing import Any, Final

import keras

from trainer_module.models import WeightsError

# The network, and what it takes an image's 0 and 1 for.
_NETWORKS: Final = {
    "mobilenet_v2": (keras.applications.MobileNetV2, (-1.0, 1.0)),
    "efficientnet_b0": (keras.applications.EfficientNetB0, (0.0, 255.0)),
}


def original(name: str, side: int, weights: str) -> keras.Model:
    """Builds Keras's network with its weights.

    Args:
        name: of the network.
        side: of the images, in pixels.
        weights: ``imagenet``, which Keras downloads once and keeps, or the path of a file of
            weights without the network's top.

    Raises:
        WeightsError: the weights cannot be had.
    """
    network, _ = _NETWORKS[name]
    try:
        return network(include_top=False, input_shape=(side, side, 3), weights=weights)
    # Without a network Keras raises a bare Exception.
    except Exception as error:
        raise WeightsError(
            f"cannot have the weights {weights} of {name} ({str(error).strip().splitlines()[0]})."
            " Download them where there is a network and give the file's path as"
            " trainer.transfer.weights, or use the backbone efficientnet_lite0."
        ) from error


def features(
    name: str,
    pixels: keras.KerasTensor,
    normalization: Callable[..., keras.layers.BatchNormalization],
    weights: str,
) -> keras.KerasTensor:
    """Builds the network, with our batch normalization, and sets its weights.

    Args:
        name: of the network.
        pixels: [N, side, side, 1] in [0, 1].
        normalization: makes a layer of batch normalization.
        weights: see `original`.

    Returns:
        [N, side / 32, side / 32, 1280].

    Raises:
        WeightsError: the weights cannot be had.
    """

    def ours(layer: keras.layers.Layer) -> keras.layers.Layer:
        config: dict[str, Any] = layer.get_config()
        if not isinstance(layer, keras.layers.BatchNormalization):
            return layer.__class__.from_config(config)
        return normalization(epsilon=config["epsilon"], axis=config["axis"], name=config["name"])

    theirs = original(name, pixels.shape[1], weights)
    copy = keras.models.clone_model(theirs, clone_function=ours)
    copy.set_weights(theirs.get_weights())
    _, (black, white) = _NETWORKS[name]
    coloured = keras.layers.Concatenate()([pixels * (white - black) + black] * 3)
    return copy(coloured)
