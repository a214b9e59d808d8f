"""Networks pretrained on ImageNet: pixels in, their last feature map out."""


class WeightsError(ValueError):
    """The weights that were asked for cannot be had."""
