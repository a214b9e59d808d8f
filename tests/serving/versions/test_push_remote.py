import json

import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from components.baseline.component import LATEST, Baseline
from components.pusher import Pusher
from serving.versions import push_remote, pushed
from serving.versions.push_remote import push_remotely, rollback_remotely
from serving.versions.push_rules import Compared, PushRefused
from serving.versions.rolled_back import ROLLED_BACK, RolledBack, from_json, to_json
from tests.components.test_pusher import PARAMETERS, blessings
from tests.object_store import new_place
from tests.serving.versions import made
from transform_module.errors import UserError
from transform_module.files import remote
from transform_module.files.sums import SUMS, digest
from transform_module.files.sums import to_json as sums_json


@pytest.fixture
def folder():
    return f"{new_place()}/cxr"


@pytest.fixture
def model(tmp_path):
    def make(weights=b"weights"):
        return made.model(tmp_path / "model", weights)

    return make


def pushed_to(folder, saved, record=None, *, version="", **choices):
    compared = Compared(pushed.sums(saved), version, **choices)
    return push_remotely(saved, folder, record or {}, compared)


def test_nothing_is_pushed_at_first(folder):
    assert push_remote.versions(folder) == []


def test_a_pushed_version_is_whole(folder, model, tmp_path):
    version, path = pushed_to(folder, model(), {"recipe": "r1"})
    assert push_remote.versions(folder) == [version]
    assert path == f"{folder}/{version}"
    near = push_remote.fetch(folder, str(version), tmp_path)
    assert pushed.verify(near) == []
    assert pushed.read_manifest(near)["recipe"] == "r1"


def test_the_same_model_is_not_pushed_again(folder, model):
    assert pushed_to(folder, model()) == pushed_to(folder, model())


def test_another_model_is_the_next_version(folder, model):
    first, _ = pushed_to(folder, model())
    second, _ = pushed_to(folder, model(b"others"), version=str(first))
    assert push_remote.versions(folder) == [first, second]


def test_what_servers_take_for_ready_is_written_last(folder, model, monkeypatch):
    written = []
    copy = tf.io.gfile.copy

    def noted(source, target, overwrite=False):
        written.append(target)
        copy(source, target, overwrite)

    monkeypatch.setattr(tf.io.gfile, "copy", noted)
    _, path = pushed_to(folder, model())
    assert written[-2:] == [f"{path}/saved_model.pb", f"{path}/{pushed.MANIFEST}"]


@pytest.mark.parametrize("count", range(4))
def test_a_push_that_is_cut_short_never_counts(folder, model, monkeypatch, count):
    copied = []
    copy = tf.io.gfile.copy

    def cut(source, target, overwrite=False):
        if len(copied) == count:
            raise tf.errors.UnavailableError(None, None, "the network is gone")
        copied.append(target)
        copy(source, target, overwrite)

    with monkeypatch.context() as patch:
        patch.setattr(tf.io.gfile, "copy", cut)
        with pytest.raises(tf.errors.UnavailableError):
            pushed_to(folder, model())
    half = push_remote.versions(folder)
    version, _ = pushed_to(folder, model())
    assert push_remote.versions(folder) == [*half, version]
    assert pushed_to(folder, model())[0] == version


@pytest.mark.parametrize(
    ("name", "text"),
    [(pushed.MANIFEST, "{"), ("variables/data", "weight"), ("saved_model.pb", None)],
)
def test_a_damaged_version_is_pushed_anew_as_the_next(folder, model, name, text):
    first, path = pushed_to(folder, model())
    if text is None:
        tf.io.gfile.remove(f"{path}/{name}")
    else:
        with tf.io.gfile.GFile(f"{path}/{name}", "w") as file:
            file.write(text)
    second, _ = pushed_to(folder, model())
    assert second > first


def test_above_a_broken_version_the_same_model_is_pushed_anew(folder, model):
    first, _ = pushed_to(folder, model())
    tf.io.gfile.makedirs(f"{folder}/{first + 7}")
    version, _ = pushed_to(folder, model(), version="17")
    assert version > first + 7
    assert pushed_to(folder, model(), version="17")[0] == version


def test_a_broken_newest_version_hides_no_older_one(folder, model, tmp_path):
    first, _ = pushed_to(folder, model())
    _, path = pushed_to(folder, model(b"others"), version=str(first))
    tf.io.gfile.remove(f"{path}/saved_model.pb")
    found = push_remote.newest(folder, tmp_path)
    assert found.version.version == first
    assert found.broken == (f"{path}/saved_model.pb: the file is missing",)


def test_what_cannot_be_listed_is_not_empty(folder, model, monkeypatch):
    pushed_to(folder, model())

    def denied(path):
        raise tf.errors.PermissionDeniedError(None, None, "no permission")

    monkeypatch.setattr(tf.io.gfile, "stat", denied)
    with pytest.raises(tf.errors.PermissionDeniedError):
        push_remote.versions(folder)


def test_what_cannot_be_fetched_is_not_taken_for_damage(folder, model, monkeypatch, tmp_path):
    pushed_to(folder, model())

    def gone(*arguments, **options):
        raise tf.errors.UnavailableError(None, None, "the network is gone")

    monkeypatch.setattr(tf.io.gfile, "copy", gone)
    with pytest.raises(tf.errors.UnavailableError):
        push_remote.newest(folder, tmp_path)


def test_other_numbers_are_not_versions(folder, model):
    version, _ = pushed_to(folder, model())
    for name in ("0", "007", "99999999999999999999", "v1"):
        tf.io.gfile.makedirs(f"{folder}/{name}")
    assert push_remote.versions(folder) == [version]


def test_only_what_was_examined_is_pushed(folder, model):
    compared = Compared(pushed.sums(model()))
    with pytest.raises(UserError, match=r"variables/data: .*not the model that was examined"):
        push_remotely(model(b"damage"), folder, {}, compared)
    assert push_remote.versions(folder) == []


def test_what_was_compared_with_another_version_is_not_pushed(folder, model):
    pushed_to(folder, model())
    with pytest.raises(PushRefused, match="compared with no version"):
        pushed_to(folder, model(b"others"))


@pytest.fixture
def files_are_replaced(monkeypatch):
    """A file of ram:// that is written again is appended to."""
    write = remote.write

    def replaced(path, text):
        if tf.io.gfile.exists(path):
            tf.io.gfile.remove(path)
        write(path, text)

    monkeypatch.setattr(remote, "write", replaced)


@pytest.mark.usefixtures("files_are_replaced")
def test_a_rolled_back_model_is_not_pushed_unless_that_is_set(folder, model):
    left = RolledBack(7, digest(pushed.sums(model())))
    remote.write(f"{folder}/{ROLLED_BACK}", to_json([left]))
    with pytest.raises(PushRefused, match="rolled back as version 7"):
        pushed_to(folder, model())
    version, _ = pushed_to(folder, model(), again=True)
    assert push_remote.versions(folder) == [version]
    with remote.opened(f"{folder}/{ROLLED_BACK}") as file:
        assert from_json(file.read(), "") == []


@pytest.mark.usefixtures("files_are_replaced")
class TestRollback:
    @pytest.fixture
    def two(self, folder, model):
        first, _ = pushed_to(folder, model())
        return first, pushed_to(folder, model(b"others"), version=str(first))[0]

    def test_it_publishes_the_former_version_anew(self, folder, two, tmp_path):
        restored, number = rollback_remotely(folder)
        assert (restored, push_remote.versions(folder)) == (two[0], [*two, number])
        manifest = push_remote.newest(folder, tmp_path).version.manifest
        assert (manifest["version"], manifest["restores"]) == (number, two[0])

    def test_what_is_left_is_not_pushed_again(self, folder, model, two):
        _, number = rollback_remotely(folder)
        with pytest.raises(PushRefused, match=f"rolled back as version {two[1]}"):
            pushed_to(folder, model(b"others"), version=str(number))
        rollback_remotely(folder, two[1])
        assert pushed_to(folder, model(b"others"))[0] == push_remote.versions(folder)[-1]

    def test_what_is_left_is_not_the_newest_where_the_restored_version_is_broken(
        self, folder, two, tmp_path
    ):
        _, number = rollback_remotely(folder)
        tf.io.gfile.remove(f"{folder}/{number}/saved_model.pb")
        assert push_remote.newest(folder, tmp_path / "one").version.version == two[0]
        tf.io.gfile.remove(f"{folder}/{two[0]}/saved_model.pb")
        assert push_remote.newest(folder, tmp_path / "two").version.version == two[1]

    @pytest.mark.parametrize("name", ["saved_model.pb", pushed.MANIFEST])
    def test_a_broken_highest_version_is_left_for_the_newest_whole_one(self, folder, two, name):
        tf.io.gfile.remove(f"{folder}/{two[1]}/{name}")
        assert rollback_remotely(folder)[0] == two[0]

    def test_what_cannot_be_is_reported(self, folder, two):
        with pytest.raises(UserError, match=r"there is no version 5\. There are "):
            rollback_remotely(folder, 5)
        tf.io.gfile.remove(f"{folder}/{two[0]}/saved_model.pb")
        said = f"{folder}/{two[0]}/saved_model.pb: the file is missing"
        with pytest.raises(UserError, match=said):
            rollback_remotely(folder)
        with pytest.raises(UserError, match="there is no pushed version to go back to"):
            rollback_remotely(f"{folder}/nowhere")


def artifact(kind, uri):
    made = kind()
    made.uri = uri
    return made


def test_the_components_push_and_fetch(folder, model, tmp_path):
    root, push_dir = folder.rpartition("/")[0], folder.rpartition("/")[0]
    saved = model()
    remote.copy(str(saved), f"{root}/trained/Format-Serving", remote.files(str(saved)))
    outcome = standard_artifacts.PushedModel()
    Pusher.test_call(
        model=artifact(standard_artifacts.Model, f"{root}/trained"),
        **blessings(tmp_path, saved),
        pushed_model=outcome,
        push_dir=push_dir,
        **PARAMETERS,
    )
    (version,) = push_remote.versions(folder)
    assert outcome.get_string_custom_property("pushed_destination") == f"{folder}/{version}"
    manifest = json.loads(tf.io.gfile.GFile(f"{folder}/{version}/{pushed.MANIFEST}").read())
    assert manifest["model_uri"] == f"{root}/trained"

    baseline = artifact(standard_artifacts.Model, f"{root}/baseline")
    other = artifact(standard_artifacts.Model, str(tmp_path))
    (tmp_path / SUMS).write_text(sums_json({"saved_model.pb": "another"}))
    message = {"push_dir": push_dir, "model_name": "cxr", "version": LATEST}
    Baseline.test_call(trained=other, model=baseline, **message)
    assert baseline.get_int_custom_property("present") == 1
    assert baseline.get_string_custom_property("version") == str(version)
    assert "Format-Serving/variables/data" in remote.files(f"{root}/baseline")


def test_there_may_be_no_baseline(folder):
    root = folder.rpartition("/")[0]
    baseline = artifact(standard_artifacts.Model, f"{root}/baseline")
    message = {"push_dir": root, "model_name": "cxr", "version": LATEST}
    trained = artifact(standard_artifacts.Model, f"{root}/trained")
    Baseline.test_call(trained=trained, model=baseline, **message)
    assert "nothing is pushed" in baseline.get_string_custom_property("reason")


def test_a_failure_is_not_an_absence_of_a_baseline(folder, model, monkeypatch, tmp_path):
    pushed_to(folder, model())
    root = folder.rpartition("/")[0]
    baseline = artifact(standard_artifacts.Model, str(tmp_path / "baseline"))
    message = {"push_dir": root, "model_name": "cxr", "version": LATEST}

    def gone(*arguments, **options):
        raise tf.errors.UnavailableError(None, None, "the network is gone")

    monkeypatch.setattr(tf.io.gfile, "copy", gone)
    trained = artifact(standard_artifacts.Model, str(tmp_path / "trained"))
    with pytest.raises(UserError, match=r"cannot be read or copied .*the network is gone"):
        Baseline.test_call(trained=trained, model=baseline, **message)
