import shutil

import numpy as np
import pytest

from serving.model import Model, Prediction, find_version
from serving.versions import pushed
from serving.versions.signature import SIGNATURE, VERIFY_KEY
from tests.images import encode
from tests.serving.saved import save, write_manifest
from tests.serving.versions import signed
from transform_module import contract
from transform_module.errors import UserError


def grey(value):
    return encode(np.full((40, 40), value, np.uint8), "png-grey")


def make_versions(folder, *names):
    for name in names:
        (folder / name).mkdir(parents=True)
        (folder / name / "saved_model.pb").write_bytes(b"graph")
        if name.isdecimal():
            write_manifest(folder / name)
    return folder


def test_the_folder_of_a_version_is_that_version(tmp_path):
    make_versions(tmp_path, "17")
    assert find_version(tmp_path / "17") == tmp_path / "17"


def test_of_several_versions_the_latest_by_number_is_taken(tmp_path):
    make_versions(tmp_path, "9", "10", "1")
    assert find_version(tmp_path) == tmp_path / "10"


def test_what_is_not_a_whole_version_is_passed_over(tmp_path):
    make_versions(tmp_path, "9", ".tmp-20", "v30", "0099", "99999999999999999999")
    (tmp_path / "40").mkdir()
    (tmp_path / "50").write_text("a file")
    assert find_version(tmp_path) == tmp_path / "9"


@pytest.mark.parametrize("damage", ["changed", "lost", "manifest", "replayed"])
def test_a_broken_newest_version_hides_no_older_one(tmp_path, caplog, damage):
    make_versions(tmp_path, "9", "10")
    newest = tmp_path / "10"
    if damage == "changed":
        (newest / "saved_model.pb").write_bytes(b"damage")
    elif damage == "replayed":
        shutil.rmtree(newest)
        shutil.copytree(tmp_path / "9", newest)
    else:
        (newest / ("saved_model.pb" if damage == "lost" else pushed.MANIFEST)).unlink()
    assert find_version(tmp_path) == tmp_path / "9"
    assert f"A version is passed over: {newest}" in caplog.text


def test_where_no_version_is_whole_that_is_reported(tmp_path):
    (make_versions(tmp_path, "9") / "9" / "saved_model.pb").write_bytes(b"damage")
    with pytest.raises(UserError, match=r"9/saved_model\.pb: SHA-256 .* No version at"):
        find_version(tmp_path)


def test_a_version_that_is_named_must_be_whole(tmp_path):
    folder = make_versions(tmp_path, "9") / "9"
    (folder / "assets").mkdir(exist_ok=True)
    (folder / "assets" / "more").touch()
    with pytest.raises(UserError, match=r"assets/more: the file is not in .* Name another"):
        find_version(folder)


def test_a_renamed_version_is_refused(tmp_path):
    make_versions(tmp_path, "9")
    (tmp_path / "9").rename(tmp_path / "10")
    with pytest.raises(UserError, match="it was pushed as"):
        find_version(tmp_path / "10")


def test_a_model_that_was_never_pushed_is_taken_where_it_is_named(tmp_path):
    make_versions(tmp_path, "Format-Serving")
    assert find_version(tmp_path / "Format-Serving") == tmp_path / "Format-Serving"


def test_a_copy_under_another_name_is_compared_by_its_files(tmp_path):
    make_versions(tmp_path, "9")
    shutil.copytree(tmp_path / "9", tmp_path / "best")
    assert find_version(tmp_path / "best") == tmp_path / "best"
    (tmp_path / "best" / "saved_model.pb").write_bytes(b"damage")
    with pytest.raises(UserError, match="SHA-256"):
        find_version(tmp_path / "best")


@pytest.mark.parametrize("name", ["nowhere", "empty", "file.txt"])
def test_a_folder_without_a_model_is_reported_with_the_way_out(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("text")
    with pytest.raises(UserError, match=rf"No model at .*{name}\. Give the folder of a version"):
        find_version(tmp_path / name)


def test_a_model_predicts_each_image_in_its_order(version):
    predictions = Model(version).predict([grey(204), b"broken", grey(51)])
    assert predictions == [
        Prediction(pytest.approx(0.8), "PNEUMONIA", True),
        Prediction(0.5, "INVALID", False),
        Prediction(pytest.approx(0.2), "NORMAL", True),
    ]


def test_a_model_shows_what_is_unlike_its_training(tmp_path):
    predictions = Model(save(tmp_path / "1", has_domain=True)).predict(
        [grey(255), grey(0), b"broken"]
    )
    assert predictions == [
        Prediction(1.0, "PNEUMONIA", True, True, 1.0),
        Prediction(0.0, "NORMAL", True, False, 3.0),
        Prediction(0.5, "INVALID", False, False, 3.0),
    ]


def test_a_model_with_a_triage_sorts_images(tmp_path):
    predictions = Model(save(tmp_path / "1", has_triage=True)).predict(
        [grey(255), grey(120), grey(51), grey(0), b"broken"]
    )
    triage = [prediction.triage for prediction in predictions]
    assert triage == ["PNEUMONIA", "REVIEW", "NORMAL", "REVIEW", "REVIEW"]


def test_no_images_have_no_predictions(version):
    assert Model(version).predict([]) == []


def test_a_model_shows_its_record(version):
    model = Model(version)
    assert model.record == {"labels": ["NORMAL", "PNEUMONIA"], "threshold": 0.5, "image_size": 160}
    assert model.path == version


@pytest.fixture
def copied(version, tmp_path):
    return shutil.copytree(version, tmp_path / "17")


def test_a_saved_model_without_our_record_is_none_of_ours(copied):
    (copied / contract.MODEL_RECORD).unlink()
    with pytest.raises(
        UserError, match=r"is not a model of this pipeline: assets\.extra/model\.json"
    ):
        Model(copied)


def test_a_damaged_record_is_reported(copied):
    (copied / contract.MODEL_RECORD).write_text("{")
    with pytest.raises(UserError, match=r"model\.json cannot be read"):
        Model(copied)


def test_a_damaged_graph_is_reported(copied):
    (copied / "saved_model.pb").write_bytes(b"damage")
    with pytest.raises(UserError, match="17 cannot be loaded as a model"):
        Model(copied)


def test_lost_weights_are_reported(copied):
    for path in (copied / "variables").iterdir():
        path.unlink()
    with pytest.raises(UserError, match="17 cannot be loaded as a model"):
        Model(copied)


def test_a_model_without_the_signature_is_reported(tmp_path):
    other = save(tmp_path / "1", signature="other")
    with pytest.raises(UserError, match="it has no signature serving_default"):
        Model(other)


@pytest.fixture
def required(tmp_path, monkeypatch):
    """Requires signatures; returns who makes them."""
    keys = signed.keys(tmp_path / "keys")
    monkeypatch.setenv(VERIFY_KEY, str(keys.public))
    return keys.settings


def test_where_a_signature_is_required_the_newest_signed_version_is_taken(
    tmp_path, required, caplog
):
    version = signed.version(tmp_path, required).path
    newer = shutil.copytree(version, version.with_name(f"{int(version.name) + 1}"))
    (newer / SIGNATURE).unlink()
    write_manifest(newer)
    assert find_version(version) == version
    assert find_version(version.parent) == version
    assert f"A version is passed over: {newer}" in caplog.text


@pytest.mark.parametrize("left", [pushed.MANIFEST, SIGNATURE])
def test_where_a_signature_is_required_a_model_without_one_is_refused(tmp_path, required, left):
    version = signed.version(tmp_path, required).path
    (version / left).unlink()
    with pytest.raises(UserError, match=left):
        find_version(version)


def test_a_key_that_cannot_be_read_is_no_permission(tmp_path, monkeypatch):
    make_versions(tmp_path, "17", "plain")
    monkeypatch.setenv(VERIFY_KEY, str(tmp_path / "nowhere.pem"))
    for path in (tmp_path, tmp_path / "17", tmp_path / "plain"):
        with pytest.raises(UserError, match=VERIFY_KEY):
            find_version(path)
