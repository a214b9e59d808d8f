import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from serving.images.encoding import turns
from tests.images import grey_pixels


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_turned_as_pillow_turns_it(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(grey_pixels()).save(file, "PNG", exif=exif)
    image = Image.open(file)
    image.load()
    assert turns.orientation(image) == orientation
    turned = turns.upright(image, orientation)
    np.testing.assert_array_equal(turned, ImageOps.exif_transpose(image))


@pytest.mark.parametrize("exif", [b"", b"II*\0", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"no TIFF"])
def test_malformed_data_leave_an_image_as_it_is(exif):
    image = Image.new("L", (8, 4))
    image.info["exif"] = exif
    assert turns.orientation(image) == 1
