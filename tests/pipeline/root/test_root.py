from pathlib import Path

from pipeline.root.root import Root


def test_any_path_becomes_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert Root.at(Path("runs")).path == tmp_path / "runs"
    assert Root.at(Path("runs/../other")).path == tmp_path / "other"
    assert Root.at(Path("~/runs")).path == tmp_path / "home" / "runs"


def test_everything_is_under_the_root_at_a_place_of_its_own(tmp_path):
    root = Root.at(tmp_path)
    places = [
        root.images,
        root.dataset,
        root.former_datasets,
        root.metadata,
        root.artifacts,
        root.checkpoints,
        root.pushed,
        root.runs,
        root.log("20250101-120000").parent,
        root.timeline("20250101-120000").parent,
    ]
    assert {place.parent for place in places} == {root.path}
    assert len(set(places)) == len(places)


def test_each_run_has_a_log_and_a_timeline_of_its_own(tmp_path):
    assert Root.at(tmp_path).log("one").name == "one.log"
    assert Root.at(tmp_path).timeline("one").name == "one.svg"


def test_a_root_makes_nothing(tmp_path):
    Root.at(tmp_path / "new")
    assert not (tmp_path / "new").exists()
