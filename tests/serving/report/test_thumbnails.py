import io

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from serving.model import Model
from serving.report.thumbnails import kept_out, small, thumbnails
from tests.archives import packed
from tests.conftest import xray
from tests.serving import saved
from transform_module.files.archives.archive_path import ArchivePath


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.mark.parametrize(
    ("size", "expected"), [((400, 200), (160, 80)), ((100, 320), (50, 160)), ((20, 30), (20, 30))]
)
def test_a_large_image_becomes_small_and_keeps_its_shape(size, expected):
    assert opened(small(Image.new("L", size))).size == expected


def test_what_was_kept_out_is_drawn_where_it_is_an_image(tmp_path):
    (tmp_path / "small.png").write_bytes(xray(1, 0))
    (tmp_path / "cut.png").write_bytes(xray(1, 0)[:200])
    (tmp_path / "text.jpeg").write_bytes(b"text")
    (tmp_path / "folder.png").mkdir()
    paths = ["small.png", "cut.png", "text.jpeg", "folder.png", "gone.png", "nul\0.png"]
    assert set(kept_out(paths, tmp_path)) == {"small.png"}


def test_what_was_kept_out_of_an_archive_is_drawn_where_it_can_be_read(tmp_path):
    files = {"small.png": xray(1, 0), "cut.png": xray(1, 0)[:200]}
    paths = [*files, "gone.png"]
    for kind, shown in (("zip", {"small.png"}), ("tar", {"small.png"}), ("tgz", set())):
        archive = ArchivePath(packed(tmp_path / f"x.{kind}", files))
        assert set(kept_out(paths, archive)) == shown


@pytest.mark.parametrize("name", ["a.jpeg", "a.png"])
def test_a_thumbnail_has_the_pixels_and_nothing_else_of_a_file(tmp_path, name):
    image = Image.linear_gradient("L")
    exif = Image.Exif()
    exif[0x010E] = "Doe^Jane described"
    text = PngInfo()
    text.add_text("Comment", "Doe^Jane said")
    options = {"comment": b"Doe^Jane 1970", "exif": exif, "icc_profile": b"Doe^Jane profile"}
    image.save(tmp_path / name, **options, **({"pnginfo": text} if name == "a.png" else {}))
    assert b"Doe^Jane" in (tmp_path / name).read_bytes()
    content = kept_out([name], tmp_path)[name].thumbnail
    assert b"Doe^Jane" not in content
    assert opened(content).size == (160, 160)


@pytest.mark.slow
def test_heat_maps_are_drawn_where_the_model_explains_itself(tmp_path):
    given = {"a": xray(1, 1)}
    plain = thumbnails(given, Model(saved.save(tmp_path / "plain")))["a"]
    explained = thumbnails(given, Model(saved.save_explaining(tmp_path / "explaining")))["a"]
    assert plain.overlay == b""
    assert plain.thumbnail == explained.thumbnail
    assert opened(explained.thumbnail).mode == "L"
    assert opened(explained.overlay).mode == "RGB"
