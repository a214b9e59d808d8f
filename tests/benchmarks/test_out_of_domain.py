import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving.model import Prediction
from tests.benchmarks.out_of_domain import CHANGES, OTHERS, SIDE, Share, shares, table
from tests.images import encode, grey_pixels


def flag_dark_ones(images):
    return [predict(content) for content in images]


def predict(content):
    try:
        pixels = np.asarray(Image.open(io.BytesIO(content)))
    except OSError:
        return Prediction(0.5, "INVALID", valid=False, in_domain=False)
    return Prediction(0.9, "PNEUMONIA", valid=True, in_domain=bool(pixels.mean() > 100))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_image_keeps_its_size_and_is_another(change):
    pixels = grey_pixels(120, 120, seed=1)
    changed = change(pixels, np.random.default_rng(1))
    assert changed.dtype == np.uint8
    assert changed.shape == pixels.shape
    assert (changed != pixels).any()


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_no_other_thing_is_made_twice(make):
    generator = np.random.default_rng(1)
    made = [make(generator) for _ in range(5)]
    assert all(each.dtype == np.uint8 and each.shape == (SIDE, SIDE) for each in made)
    assert len({each.tobytes() for each in made}) == 5


def test_every_kind_is_predicted_and_what_is_not_an_image_does_not_count():
    bright = np.full((80, 80), 250, np.uint8)
    bright[:20] = 0
    files: list[bytes | str] = [*[encode(bright, "png-grey")] * 3, b"broken", "no regular file"]
    chests = [(Path(f"{number}.png"), content) for number, content in enumerate(files)]
    found = shares(flag_dark_ones, chests, count=40, seed=1)
    assert set(found) == {"as they are", *CHANGES, *OTHERS}
    assert found["as they are"] == Share(0, 3)
    assert found["inverted"] == Share(3, 3)
    assert found["drawn hands"] == Share(40, 40)
    assert found["pages of letters"] == Share(0, 40)


def test_the_table_shows_share_and_interval():
    lines = table({"inverted": Share(90, 100), "drawn hands": Share(0, 0)}).splitlines()
    assert lines[2] == "| inverted | 100 | 90.0% | 82.6% to 94.5% |"
    assert lines[3] == "| drawn hands | 0 | - | - to - |"
