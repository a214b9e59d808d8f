import io

import pytest
from PIL import Image

from components.synthetic.broken import broken_files
from components.synthetic.generate import _encode
from components.synthetic.plan import plan
from serving.images.decode_check import Decoded, check
from serving.images.layout import scan
from tests.components.convert.folders import fill

PLAN = plan(60, 7)
BROKEN = {file.what: file for file in broken_files(PLAN)}


def content(file):
    return file.content(lambda image: _encode(image, 7))


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("truncated JPEG", "truncated JPEG"),
        ("empty file", "empty file"),
        ("text named .jpeg", "text file"),
        ("icon of 16x16 pixels", "too small: 16x16 pixels, the least side is 32"),
    ],
)
def test_what_is_broken_is_refused_for_what_it_is(what, reason):
    assert str(check(content(BROKEN[what]))).startswith(reason)


def test_a_copy_is_a_good_image_of_the_plan():
    (copy,) = [file for what, file in BROKEN.items() if what.startswith("same bytes as ")]
    (original,) = [image for image in PLAN if copy.what == f"same bytes as {image.path}"]
    assert content(copy) == _encode(original, 7)
    assert isinstance(check(content(copy)), Decoded)


def test_a_system_file_is_skipped(tmp_path):
    file = BROKEN["system file"]
    fill(tmp_path, {file.path: content(file), "train/NORMAL/a.png": b"1"})
    assert [found.skipped for found in scan(tmp_path)] == ["system file", None]


def test_no_good_image_has_their_names():
    assert not {file.path for file in BROKEN.values()} & {image.path for image in PLAN}


def test_the_icon_is_whole():
    icon = Image.open(io.BytesIO(content(BROKEN["icon of 16x16 pixels"])))
    assert icon.size == (16, 16)
