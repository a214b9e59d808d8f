import json

from pydicom.uid import UID

from serving.predict.structured_report.observer import find
from serving.versions import pushed
from transform_module.files.sums import digest


def version(folder, **manifest):
    folder.mkdir(parents=True)
    (folder / pushed.SAVED_MODEL).write_bytes(b"model")
    if manifest:
        manifest = {"files": pushed.sums(folder), **manifest}
        (folder / pushed.MANIFEST).write_text(json.dumps(manifest))
    return folder


def test_a_pushed_version_is_named_as_its_manifest_names_it(tmp_path):
    folder = version(tmp_path / "elsewhere" / "copy", name="chest_xray", version=17)
    observer = find(folder, {"threshold": 0.25})
    assert (observer.name, observer.version, observer.threshold) == ("chest_xray", "17", 0.25)
    assert observer.digest == digest(pushed.sums(folder))


def test_a_version_without_a_manifest_is_named_by_its_folders(tmp_path, monkeypatch):
    folder = version(tmp_path / "chest_xray" / "17")
    monkeypatch.chdir(folder)
    observer = find(folder.relative_to(folder), {})
    assert (observer.name, observer.version, observer.threshold) == ("chest_xray", "17", None)
    assert observer.digest == digest(pushed.sums(folder))


def test_the_uid_is_that_of_the_model_wherever_it_is(tmp_path):
    first = find(version(tmp_path / "a" / "1", version=1), {})
    same = find(version(tmp_path / "b" / "2", version=2), {})
    other = version(tmp_path / "c" / "1")
    (other / pushed.SAVED_MODEL).write_bytes(b"other")
    assert first.uid == same.uid != find(other, {}).uid
    assert UID(first.uid).is_valid


def test_a_name_fits_any_character_set_and_dicoms_length(tmp_path):
    folder = version(tmp_path / "x" / "1", name="Röntgen\\" + "x" * 99, version=1)
    assert find(folder, {}).name == "R?ntgen?" + "x" * 56
