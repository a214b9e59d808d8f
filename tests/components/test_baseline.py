import shutil

import pytest
from tfx.types import standard_artifacts

from components import pushed
from components.baseline import LATEST, Baseline, Executor
from components.push import push


@pytest.fixture
def version(tmp_path):
    saved = tmp_path / "model"
    (saved / "variables").mkdir(parents=True)
    (saved / "saved_model.pb").write_bytes(b"graph")
    (saved / "variables" / "data").write_bytes(b"weights")
    return push(saved, tmp_path / "push" / "cxr", {})


def execute(tmp_path, version):
    model = standard_artifacts.Model()
    model.uri = str(tmp_path / "baseline")
    (tmp_path / "baseline").mkdir()
    parameters = {
        "push_dir": str(tmp_path / "push"),
        "model_name": "cxr",
        "version": version,
        "code": "",
    }
    Executor().Do({}, {"model": [model]}, parameters)
    if version != LATEST:
        assert model.get_string_custom_property("version") == version
    return model


def assert_absent(tmp_path, model, reason):
    assert model.get_int_custom_property("present") == 0
    assert reason in model.get_string_custom_property("reason")
    assert list((tmp_path / "baseline").iterdir()) == []


def test_the_pushed_version_is_the_baseline(tmp_path, version):
    model = execute(tmp_path, str(version.version))
    assert model.get_int_custom_property("present") == 1
    assert model.get_string_custom_property("reason") == ""
    assert pushed.verify(tmp_path / "baseline" / "Format-Serving") == []
    assert (tmp_path / "baseline" / "Format-Serving" / "saved_model.pb").read_bytes() == b"graph"


def test_the_baseline_outlives_the_pushed_version(tmp_path, version):
    execute(tmp_path, str(version.version))
    shutil.rmtree(version.path)
    assert pushed.verify(tmp_path / "baseline" / "Format-Serving") == []


def test_what_others_put_beside_the_pushed_files_does_not_matter(tmp_path, version):
    (version.path / "note.txt").write_text("hello")
    assert execute(tmp_path, str(version.version)).get_int_custom_property("present") == 1
    assert not (tmp_path / "baseline" / "Format-Serving" / "note.txt").exists()


def test_nothing_pushed_is_no_baseline(tmp_path):
    assert_absent(tmp_path, execute(tmp_path, ""), "nothing is pushed")


def test_the_latest_version_can_be_asked_for(tmp_path, version):
    model = execute(tmp_path, LATEST)
    assert model.get_int_custom_property("present") == 1
    assert model.get_string_custom_property("version") == str(version.version)


def test_there_may_be_no_latest_version(tmp_path):
    assert_absent(tmp_path, execute(tmp_path, LATEST), "nothing is pushed")


def test_a_deleted_version_is_no_baseline(tmp_path, version):
    shutil.rmtree(version.path)
    assert_absent(tmp_path, execute(tmp_path, str(version.version)), "is gone")


def test_a_changed_version_is_no_baseline(tmp_path, version):
    (version.path / "variables" / "data").write_bytes(b"other weights")
    assert_absent(tmp_path, execute(tmp_path, str(version.version)), "variables/data: SHA-256")


def test_a_version_with_a_lost_file_is_no_baseline(tmp_path, version):
    (version.path / "saved_model.pb").unlink()
    assert_absent(tmp_path, execute(tmp_path, str(version.version)), "saved_model.pb")


def test_the_version_stands_in_the_parameters_that_the_cache_sees():
    component = Baseline(push_dir="p", model_name="cxr", version="17")
    assert component.id == "Baseline"
    assert component.exec_properties["version"] == "17"
