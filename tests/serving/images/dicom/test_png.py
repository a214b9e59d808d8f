import io

import numpy as np
import pytest
from PIL import Image

from serving.images.dicom.png import png


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(33, 47), (1, 1), (2, 300), (300, 1)])
def test_pixels_come_back(kind, shape):
    highest = np.iinfo(kind).max
    pixels = np.random.default_rng(0).integers(0, highest, shape, kind, endpoint=True)
    encoded = png(pixels)
    image = Image.open(io.BytesIO(encoded))
    assert image.mode == ("L" if kind == np.uint8 else "I;16")
    assert np.array_equal(np.asarray(image), pixels)
    assert png(pixels.copy()) == encoded
