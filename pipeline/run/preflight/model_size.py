"""Number of a model's parameters, computed from its settings without TensorFlow."""

from typing import Final

from trainer_module.settings.models import CnnSettings, CompactSettings
from trainer_module.settings.trainer import TrainerSettings
from transform_module.contract import IMAGE_SIZE

# With the one output: a test compares them with the networks.
_TRANSFER: Final = {
    "efficientnet_lite0": 3_413_729,
    "mobilenet_v2": 2_259_265,
    "efficientnet_b0": 4_050_852,
}
# Batch normalization's scale, shift, mean and variance.
_NORMALIZED: Final = 4


def parameters(settings: TrainerSettings) -> int:
    """Returns the number of parameters, of all members of an ensemble together."""
    if settings.model == "cnn":
        one = _cnn(settings.cnn)
    elif settings.model == "compact":
        one = _compact(settings.compact)
    else:
        one = _TRANSFER[settings.transfer.backbone]
    return settings.folds * one


def _cnn(settings: CnnSettings) -> int:
    total, channels, side = 0, 1, IMAGE_SIZE
    for filters in settings.filters:
        total += settings.kernel_size**2 * channels * filters + filters + _NORMALIZED * filters
        channels, side = filters, side // 2
    width = side * side * channels
    for units in settings.dense_units:
        total += width * units + units + _NORMALIZED * units
        width = units
    return total + width + 1


def _compact(settings: CompactSettings) -> int:
    def convolved(side: int, inputs: int, filters: int) -> int:
        return side**2 * inputs * filters + _NORMALIZED * filters

    channels, *others = settings.filters
    total = convolved(7, 1, channels)
    for filters in others:
        total += convolved(3, channels, filters)
        total += settings.blocks * convolved(3, filters, filters)
        channels = filters
    return total + channels + 1
