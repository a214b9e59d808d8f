import json
import uuid

import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from components import push_remote, pushed, remote
from components.baseline import LATEST
from components.baseline import Executor as Baseline
from components.push_remote import push_remotely
from components.pusher import Executor as Pusher
from tests.components.test_pusher import PARAMETERS, RECORD, blessings
from transform_module import features


@pytest.fixture
def folder():
    return f"ram://{uuid.uuid4().hex}/cxr"


@pytest.fixture
def model(tmp_path):
    def make(weights=b"weights"):
        saved = tmp_path / "model"
        for name, content in (
            ("saved_model.pb", b"graph"),
            ("variables/data", weights),
            (features.MODEL_RECORD, json.dumps(RECORD).encode()),
        ):
            (saved / name).parent.mkdir(parents=True, exist_ok=True)
            (saved / name).write_bytes(content)
        return saved

    return make


def test_nothing_is_pushed_at_first(folder):
    assert push_remote.versions(folder) == []


def test_a_pushed_version_is_whole(folder, model, tmp_path):
    version, path = push_remotely(model(), folder, {"recipe": "r1"})
    assert push_remote.versions(folder) == [version]
    assert path == f"{folder}/{version}"
    near = push_remote.fetch(folder, str(version), tmp_path)
    assert pushed.verify(near) == []
    assert pushed.read_manifest(near)["recipe"] == "r1"


def test_the_same_model_is_not_pushed_again(folder, model):
    assert push_remotely(model(), folder, {}) == push_remotely(model(), folder, {})


def test_another_model_is_the_next_version(folder, model):
    first, _ = push_remotely(model(), folder, {})
    second, _ = push_remotely(model(b"others"), folder, {})
    assert push_remote.versions(folder) == [first, second]


def test_what_servers_take_for_ready_is_written_last(folder, model, monkeypatch):
    written = []
    copy = tf.io.gfile.copy

    def noted(source, target, overwrite=False):
        written.append(target)
        copy(source, target, overwrite)

    monkeypatch.setattr(tf.io.gfile, "copy", noted)
    _, path = push_remotely(model(), folder, {})
    assert written[-1] == f"{path}/saved_model.pb"
    assert f"{path}/{pushed.MANIFEST}" in written


def test_a_manifest_that_cannot_be_read_is_none(folder, model):
    first, path = push_remotely(model(), folder, {})
    with tf.io.gfile.GFile(f"{path}/{pushed.MANIFEST}", "w") as file:
        file.write("{")
    second, _ = push_remotely(model(), folder, {})
    assert second > first


def artifact(kind, uri):
    made = kind()
    made.uri = uri
    return made


def test_the_components_push_and_fetch(folder, model, tmp_path):
    root, push_dir = folder.rpartition("/")[0], folder.rpartition("/")[0]
    saved = model()
    remote.copy(str(saved), f"{root}/trained/Format-Serving", remote.files(str(saved)))
    outcome = standard_artifacts.PushedModel()
    Pusher().Do(
        {
            "model": [artifact(standard_artifacts.Model, f"{root}/trained")],
            **{name: [each] for name, each in blessings().items()},
        },
        {"pushed_model": [outcome]},
        {"push_dir": push_dir, **PARAMETERS},
    )
    (version,) = push_remote.versions(folder)
    assert outcome.get_string_custom_property("pushed_destination") == f"{folder}/{version}"
    manifest = json.loads(tf.io.gfile.GFile(f"{folder}/{version}/{pushed.MANIFEST}").read())
    assert manifest["model_uri"] == f"{root}/trained"

    baseline = artifact(standard_artifacts.Model, f"{root}/baseline")
    told = {"push_dir": push_dir, "model_name": "cxr", "version": LATEST}
    Baseline().Do({}, {"model": [baseline]}, told)
    assert baseline.get_int_custom_property("present") == 1
    assert baseline.get_string_custom_property("version") == str(version)
    assert "Format-Serving/variables/data" in remote.files(f"{root}/baseline")


def test_there_may_be_no_baseline(folder):
    root = folder.rpartition("/")[0]
    baseline = artifact(standard_artifacts.Model, f"{root}/baseline")
    told = {"push_dir": root, "model_name": "cxr", "version": LATEST}
    Baseline().Do({}, {"model": [baseline]}, told)
    assert "nothing is pushed" in baseline.get_string_custom_property("reason")
    Baseline().Do({}, {"model": [baseline]}, {**told, "version": "17"})
    reason = baseline.get_string_custom_property("reason")
    assert f"{folder}/17 is gone" in reason
