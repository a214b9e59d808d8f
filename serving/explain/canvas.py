"""The image on which a heat map lies."""

from collections.abc import Sequence

import numpy as np

from serving.evaluate.pixels import grey
from serving.model import Model


def canvases(images: Sequence[bytes], model: Model) -> list[np.ndarray]:
    """Returns for each image the pixels that its heat map covers, from edge to edge.

    Args:
        images: encoded, which the model can decode.
        model: whose heat maps are drawn.

    Returns:
        [height, width] uint8: the image as it is where the model sees it stretched; where it sees
        it with a margin, or as a function of the user's own made it, what the model sees.
    """
    transform = model.record.get("transform") or {}
    if transform.get("resize") == "pad" or transform.get("function"):
        return [pixels[..., 0] for pixels in model.pixels(images)]
    decoded = [grey(image) for image in images]
    return [pixels for pixels in decoded if pixels is not None]
