import shutil

import pytest
from tfx.types import channel, standard_artifacts

from components.baseline.component import LATEST, Baseline
from serving.versions import pushed
from serving.versions.push import push
from serving.versions.signature import SIGNATURE, VERIFY_KEY
from tests.serving.versions import signed
from transform_module.errors import UserError
from transform_module.files import sums


def write(folder, weights):
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "data").write_bytes(weights)
    return folder


@pytest.fixture
def version(tmp_path):
    return push(write(tmp_path / "model", b"weights"), tmp_path / "push" / "cxr", {})


@pytest.fixture
def newer(tmp_path, version):
    message = {"baseline_version": str(version.version)}
    return push(write(tmp_path / "newer", b"newer"), tmp_path / "push" / "cxr", message)


def execute(tmp_path, trained=b"trained just now", version=LATEST):
    model, other = standard_artifacts.Model(), standard_artifacts.Model()
    model.uri, other.uri = str(tmp_path / "baseline"), str(tmp_path / "trained")
    (tmp_path / "baseline").mkdir()
    sums.record(write(tmp_path / "trained" / "Format-Serving", trained))
    message = {"push_dir": str(tmp_path / "push"), "model_name": "cxr", "version": version}
    Baseline.test_call(trained=other, model=model, **message)
    return model


def assert_is(tmp_path, model, version):
    assert model.get_int_custom_property("present") == 1
    assert model.get_string_custom_property("reason") == ""
    assert model.get_string_custom_property("version") == str(version.version)
    assert pushed.verify(tmp_path / "baseline" / "Format-Serving") == []
    data = tmp_path / "baseline" / "Format-Serving" / "variables" / "data"
    assert data.read_bytes() == (version.path / "variables" / "data").read_bytes()


def assert_absent(tmp_path, model, reason):
    assert model.get_int_custom_property("present") == 0
    assert model.get_string_custom_property("version") == ""
    assert reason in model.get_string_custom_property("reason")
    assert list((tmp_path / "baseline").iterdir()) == []


def test_the_newest_pushed_version_is_the_baseline(tmp_path, newer):
    assert_is(tmp_path, execute(tmp_path), newer)


def test_a_baseline_is_signed_where_it_must_be(tmp_path, monkeypatch):
    keys = signed.keys(tmp_path / "keys")
    monkeypatch.setenv(VERIFY_KEY, str(keys.public))
    folder = tmp_path / "push" / "cxr"
    signed_one = push(write(tmp_path / "model", b"weights"), folder, {}, signing=keys.settings)
    unsigned = shutil.copytree(signed_one.path, folder / f"{signed_one.version + 1}")
    (unsigned / SIGNATURE).unlink()
    assert_is(tmp_path, execute(tmp_path), signed_one)


@pytest.mark.parametrize("expected", ["", "17", LATEST])
def test_what_was_expected_when_the_run_began_does_not_matter(tmp_path, newer, expected):
    assert_is(tmp_path, execute(tmp_path, version=expected), newer)


def test_the_baseline_outlives_the_pushed_version(tmp_path, version):
    execute(tmp_path)
    shutil.rmtree(version.path)
    assert pushed.verify(tmp_path / "baseline" / "Format-Serving") == []


def test_what_others_put_beside_the_pushed_files_does_not_matter(tmp_path, newer):
    (newer.path / "note.txt").write_text("hello")
    assert_is(tmp_path, execute(tmp_path), newer)
    assert not (tmp_path / "baseline" / "Format-Serving" / "note.txt").exists()


def test_nothing_pushed_is_not_a_baseline(tmp_path):
    assert_absent(tmp_path, execute(tmp_path), "nothing is pushed")


class TestTheSameModel:
    """What is pushed already is compared with what it was compared with then."""

    def test_is_not_compared_with_itself(self, tmp_path, version, newer):
        assert_is(tmp_path, execute(tmp_path, b"newer"), version)

    def test_the_first_one_has_no_baseline(self, tmp_path, version):
        said = f"version {version.version} in {tmp_path / 'push/cxr'} is this model"
        assert_absent(tmp_path, execute(tmp_path, b"weights"), said)

    @pytest.mark.parametrize("damage", ["gone", "changed"])
    def test_is_compared_with_itself_where_the_former_is_not_whole(
        self, tmp_path, version, newer, damage
    ):
        if damage == "gone":
            shutil.rmtree(version.path)
        else:
            (version.path / "saved_model.pb").write_bytes(b"damage")
        assert_is(tmp_path, execute(tmp_path, b"newer"), newer)

    def test_one_that_was_trained_anew_is_another(self, tmp_path, version):
        """The same recipe does not make the same bytes: it has to hold its own, too."""
        assert_is(tmp_path, execute(tmp_path, b"weights, trained anew"), version)


class TestBroken:
    """A version that is not whole neither hides an older one nor lets a model through."""

    @pytest.mark.parametrize("damage", ["changed", "lost", "manifest"])
    def test_the_newest_whole_version_is_taken_and_the_broken_one_reported(
        self, tmp_path, version, newer, damage
    ):
        if damage == "changed":
            (newer.path / "variables" / "data").write_bytes(b"other weights")
        else:
            name = "saved_model.pb" if damage == "lost" else pushed.MANIFEST
            (newer.path / name).unlink()
        model = execute(tmp_path)
        assert_is(tmp_path, model, version)
        assert str(newer.path) in model.get_string_custom_property("broken")

    def test_where_none_is_whole_the_run_stops(self, tmp_path, version):
        (version.path / "variables" / "data").write_bytes(b"other weights")
        with pytest.raises(UserError, match=r"variables/data: SHA-256 .* is whole, so that a new"):
            execute(tmp_path)

    def test_a_full_disk_stops_the_run(self, tmp_path, version, monkeypatch):
        def full(source, target):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("components.baseline.component.link", full)
        with pytest.raises(UserError, match=r"cannot be read or copied .*No space left"):
            execute(tmp_path)

    def test_a_push_folder_that_cannot_be_read_stops_the_run(self, tmp_path):
        (tmp_path / "push").write_text("a file")
        with pytest.raises(UserError, match="nothing can be compared with it"):
            execute(tmp_path)

    def test_an_interrupt_is_not_an_absence(self, tmp_path, version, monkeypatch):
        def interrupted(source, target):
            raise KeyboardInterrupt

        monkeypatch.setattr("components.baseline.component.link", interrupted)
        with pytest.raises(KeyboardInterrupt):
            execute(tmp_path)

    def test_a_model_without_sums_stops_the_run(self, tmp_path, version):
        with pytest.raises(UserError, match="nobody knows whether the model is as it was trained"):
            execute_without_sums(tmp_path)


def execute_without_sums(tmp_path):
    model, other = standard_artifacts.Model(), standard_artifacts.Model()
    model.uri, other.uri = str(tmp_path / "baseline"), str(tmp_path / "trained")
    message = {"push_dir": str(tmp_path / "push"), "model_name": "cxr", "version": LATEST}
    Baseline.test_call(trained=other, model=model, **message)


def test_the_version_is_in_the_parameters_that_the_cache_sees():
    trained = channel.Channel(standard_artifacts.Model)
    component = Baseline(trained=trained, push_dir="p", model_name="cxr", version="17")
    assert component.id == "Baseline"
    assert component.exec_properties["version"] == "17"
