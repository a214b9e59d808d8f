import tempfile
from pathlib import Path

import pytest

from pipeline.config.config_file import load
from pipeline.root.root import Root
from pipeline.run.preflight.before_run import check
from serving.versions.signature import VERIFY_KEY
from tests.archives import packed
from tests.serving.versions import signed
from transform_module.errors import UserError


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    for name in ("train/NORMAL/a.png", "train/PNEUMONIA/b.png", "train/NORMAL/.DS_Store", "x.txt"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


@pytest.fixture
def checked(tmp_path):
    root = Root.at(tmp_path / "root")
    yield lambda *overrides: check(load(None, overrides), root)
    assert not root.path.exists()


def test_the_image_files_of_the_class_folders_are_counted(checked, images):
    assert checked(f"images={images}") == 2


@pytest.mark.parametrize("kind", ["zip", "tar", "tgz"])
def test_the_image_files_of_an_archive_are_counted(checked, tmp_path, kind, monkeypatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    files = {"a/train/NORMAL/a.png": b"x", "a/train/PNEUMONIA/b.png": b"x", "x.txt": b"x"}
    archive = packed(tmp_path / f"x.{kind}", files)
    assert checked(f"images={archive}") == 2
    assert list(temporary.iterdir()) == []


def test_without_images_the_synthetic_ones_are_counted(checked):
    assert checked("synthetic.images=120") == 120


@pytest.mark.parametrize("override", ["dataset.labels=t.csv", "dataset.layout=nih"])
def test_labels_without_images_are_refused(checked, override):
    with pytest.raises(UserError, match=r"labels images, and none are given.*--images FOLDER"):
        checked(override)


def test_the_images_of_a_table_are_counted(checked, images, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("path,label\na.png,0\nb.png,1\nc.png,1\n")
    (images / "x.txt").rename(images / "c.png")
    assert checked(f"images={images}", f"dataset.labels={table}") == 3


def test_a_function_that_cannot_be_imported_is_refused(checked):
    with pytest.raises(UserError, match=r"transform.function is nowhere\.prepare: its module"):
        checked("transform.function=nowhere.prepare")


def test_a_root_at_an_address_is_refused():
    with pytest.raises(UserError, match="The root must be a local path"):
        check(load(), Root.at(Path("gs://b/root")))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("images=nowhere", "No image folder at"),
        ("images=gs://b/images", "images must be a local path"),
        ("push.directory=gs://b/push", "push.directory of a run on this machine must be"),
        (f"push.directory={__file__}", "push.directory: .* is a file"),
        ("trainer={model: transfer, transfer: {weights: no.h5}}", "there is no file no.h5"),
    ],
)
def test_a_wrong_path_is_refused_before_anything_is_made(checked, override, message):
    with pytest.raises(UserError, match=message):
        checked(override)


def test_a_wrong_table_of_patients_is_refused_before_anything_is_made(checked, images):
    with pytest.raises(UserError, match=r"nowhere\.csv"):
        checked(f"images={images}", "dataset.patients=nowhere.csv")


def test_weights_that_another_model_would_need_do_not_matter(checked):
    assert checked("trainer.transfer.weights=no.h5") == 600


def test_an_invalid_tf_config_is_refused(checked, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "{'cluster': 1}")
    with pytest.raises(
        UserError, match=r"^The environment variable TF_CONFIG is not valid JSON \("
    ):
        checked()


def test_a_key_that_cannot_sign_is_refused(checked, tmp_path):
    key = f"push.signing.private_key={tmp_path / 'nowhere.pem'}"
    with pytest.raises(UserError, match=r"push\.signing: nothing can be signed by this key"):
        checked("push.signing.method=key", key)


def test_where_a_signature_is_required_a_run_must_say_who_signs(checked, tmp_path, monkeypatch):
    monkeypatch.setenv(VERIFY_KEY, str(signed.keys(tmp_path / "keys").public))
    with pytest.raises(UserError, match="nothing says who signs"):
        checked()
