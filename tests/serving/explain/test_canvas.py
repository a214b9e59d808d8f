from types import SimpleNamespace

import numpy as np
import pytest

from serving.explain.canvas import canvases
from tests.images import encode, grey_pixels

PIXELS = grey_pixels(200, 90)
SEEN = np.arange(64 * 64, dtype=np.uint8).reshape(1, 64, 64, 1)


@pytest.mark.parametrize(
    ("transform", "is_stretched"),
    [
        (None, True),
        ({"resize": "squash", "contrast": "equalize", "function": None}, True),
        ({"resize": "pad"}, False),
        ({"resize": "squash", "function": "own.prepare"}, False),
    ],
)
def test_a_heat_map_lies_on_what_it_covers_from_edge_to_edge(transform, is_stretched):
    record = {} if transform is None else {"transform": transform}
    model = SimpleNamespace(record=record, pixels=lambda images: SEEN[: len(images)])
    (canvas,) = canvases([encode(PIXELS, "png-grey")], model)
    assert np.array_equal(canvas, PIXELS if is_stretched else SEEN[0, ..., 0])
