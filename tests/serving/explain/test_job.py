from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from serving.explain.job import explain
from tests.images import encode, grey_pixels
from tests.serving.images.encoding.samples import FILES
from tests.serving.saved import save_explaining, write_manifest
from transform_module.errors import UserError


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A version that explains: every image is hot at the right."""
    return write_manifest(save_explaining(tmp_path_factory.mktemp("explaining") / "17"))


def grey(value, width=60, height=40):
    return encode(np.full((height, width), value, np.uint8), "png-grey")


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    (folder / "b").mkdir(parents=True)
    (folder / "a.png").write_bytes(grey(204))
    (folder / "b" / "a.png").write_bytes(grey(204))
    (folder / "b" / "notes.txt").write_text("some text\n" * 9)
    (folder / "c.png").write_bytes(grey(51))
    return folder


def test_each_image_is_drawn_under_a_name_that_shows_its_prediction(model, images, tmp_path):
    out = tmp_path / "new" / "out"
    message = []
    explanations = explain(model.parent, [images], out, progress=lambda *at: message.append(at))
    assert [(Path(each.path).name, each.label, each.overlay) for each in explanations] == [
        ("a.png", "PNEUMONIA", str(out / "PNEUMONIA-0.8000-a.png")),
        ("c.png", "NORMAL", str(out / "NORMAL-0.2000-c.png")),
        ("a.png", "PNEUMONIA", str(out / "PNEUMONIA-0.8000-a-2.png")),
        ("notes.txt", "INVALID", ""),
    ]
    assert "text" in explanations[3].reason
    assert {str(path) for path in out.iterdir()} == {each.overlay for each in explanations[:3]}
    assert message[-1] == (4, 4)


def test_a_drawing_has_the_images_own_size_and_its_heat(model, images, tmp_path):
    (explanation,) = explain(model, [images / "c.png"], tmp_path / "out")
    pixels = np.asarray(Image.open(explanation.overlay)).astype(int)
    assert pixels.shape == (40, 60, 3)
    assert np.ptp(pixels[20, 0]) < 10
    assert np.ptp(pixels[20, -1]) > 20


def test_a_second_call_draws_the_same_files(model, images, tmp_path):
    first = explain(model, [images], tmp_path / "out")
    assert explain(model, [images], tmp_path / "out") == first


def test_a_long_name_is_cut(model, tmp_path):
    (tmp_path / ("é" * 120 + ".png")).write_bytes(grey(51))
    (only,) = explain(model, [tmp_path / ("é" * 120 + ".png")], tmp_path / "out")
    assert Path(only.overlay).name == f"NORMAL-0.2000-{'é' * 50}.png"


def test_only_broken_files_are_rows_too(model, images, tmp_path):
    (only,) = explain(model, [images / "b" / "notes.txt"], tmp_path / "out")
    assert (only.probability, only.valid, only.overlay) == (None, False, "")


def test_a_model_that_explains_nothing_is_reported_with_the_way_out(version, images, tmp_path):
    with pytest.raises(UserError, match=r"17 does not explain .* Train and push one anew"):
        explain(version, [images], tmp_path / "out")


def test_a_folder_that_cannot_be_made_is_reported(model, images, tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(UserError, match=r"file cannot be made: .* Name another folder"):
        explain(model, [images], tmp_path / "file")


def test_a_file_that_cannot_be_written_is_reported(model, images, tmp_path):
    (tmp_path / "out" / "NORMAL-0.2000-c.png").mkdir(parents=True)
    with pytest.raises(UserError, match=r"c\.png cannot be written"):
        explain(model, [images / "c.png"], tmp_path / "out")


def test_an_image_that_is_encoded_anew_is_drawn(model, tmp_path):
    pixels = grey_pixels(60, 40)
    (tmp_path / "a.dcm").write_bytes(FILES["dicom"](pixels))
    (tmp_path / "b.png").write_bytes(encode(pixels, "png-grey"))
    found, expected = explain(model, [tmp_path], tmp_path / "out")
    assert found.probability == expected.probability
    np.testing.assert_array_equal(Image.open(found.overlay), Image.open(expected.overlay))
