import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from components.convert.survey import sheet
from serving.images.dataset import Example
from tests.components.convert.folders import fill, xray
from tests.serving.images.test_dataset import DATASET, SURVEY
from transform_module.errors import UserError


def written(images, file, *paths):
    examples = tuple(
        Example(kind="typical", about="NORMAL", number=number, path=path)
        for number, path in enumerate(paths, start=1)
    )
    survey = SURVEY.model_copy(update={"examples": examples})
    sheet.write(DATASET.model_copy(update={"survey": survey}), images, file)
    html = file.read_text(encoding="utf-8")
    encoded = re.findall(r"data:image/jpeg;base64,([^\"]+)", html)
    return html, [Image.open(io.BytesIO(base64.b64decode(each))) for each in encoded]


def test_images_are_small_and_have_no_name(tmp_path):
    large = np.kron(np.asarray(Image.open(io.BytesIO(xray(1)))), np.ones((9, 9), np.uint8))
    content = io.BytesIO()
    Image.fromarray(large).save(content, "JPEG", comment=b"Anna")
    images = fill(tmp_path / "images", {"NORMAL/Anna.jpeg": content.getvalue()})
    html, (shown,) = written(images, tmp_path / "page.html", "NORMAL/Anna.jpeg")
    assert max(shown.size) == 160
    assert shown.mode == "L"
    assert "Anna" not in html
    assert b"Anna" not in shown.tobytes()
    assert "comment" not in shown.info


def test_what_does_not_decode_or_has_gone_is_left_out(tmp_path):
    files = {"a.png": xray(1), "b.png": b"", "c.png": b"text", "d.png": xray(2)[:90]}
    images = fill(tmp_path / "images", files)
    html, shown = written(images, tmp_path / "page.html", *files, "gone.png")
    assert len(shown) == 1
    assert "no. 1<" in html


def test_what_was_quarantined_for_its_size_is_shown_where_pillow_reads_it(tmp_path):
    content = io.BytesIO()
    Image.new("L", (20, 20), 90).save(content, "PNG")
    images = fill(tmp_path / "images", {"a.png": content.getvalue()})
    _, (shown,) = written(images, tmp_path / "page.html", "a.png")
    assert shown.size == (20, 20)


def test_a_former_page_is_replaced_and_nothing_else_is_left(tmp_path):
    images = fill(tmp_path / "images", {"a.png": xray(1)})
    (tmp_path / "page.html").write_text("old")
    written(images, tmp_path / "page.html", "a.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "page.html"]


def test_a_page_that_cannot_be_written_is_refused_before_there_is_one(tmp_path):
    with pytest.raises(UserError, match="it is a folder"):
        sheet.writer(tmp_path)
    with pytest.raises(UserError, match="there is no such folder"):
        sheet.writer(tmp_path / "no" / "page.html")


def test_the_writer_writes_into_its_file(tmp_path):
    sheet.writer(tmp_path / "page.html")(DATASET, tmp_path)
    assert "Dataset report" in (tmp_path / "page.html").read_text()
