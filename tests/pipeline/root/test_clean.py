import json
import os

import pytest

from pipeline.root.clean import expired_versions, freed, groups, kept_runs
from pipeline.root.root import Root
from serving.versions.rolled_back import ROLLED_BACK, RolledBack, to_json
from tests.pipeline.records import DATASET, run
from transform_module.files.sums import digest, sums


def runs(*states):
    return [
        run(f"2026030{day}-120000", state=state, started=f"2026-03-0{day}T12:00:00")
        for day, state in enumerate(states, start=1)
    ]


def ids(records):
    return [int(each.id[7]) for each in records]


@pytest.mark.parametrize(
    ("states", "keep", "expected"),
    [
        (("finished", "finished", "finished"), 2, [2, 3]),
        (("finished", "finished", "failed", "killed"), 1, [2, 3, 4]),
        (("finished", "failed"), 2, [1, 2]),
        (("failed", "killed"), 1, [1, 2]),
        (("finished", "refused", "finished"), 2, [2, 3]),
    ],
)
def test_the_last_finished_runs_are_kept_and_all_since(states, keep, expected):
    assert ids(kept_runs(runs(*states), keep)) == expected


@pytest.fixture
def root(tmp_path):
    root = Root.at(tmp_path / "root")
    for name in (
        "artifacts/Trainer/model/5/saved_model.pb",
        "artifacts/Trainer/model/9/saved_model.pb",
        "artifacts/Trainer/.system/executor_execution/5/x",
        "artifacts/Trainer/model/notes/mine",
        "dataset/dataset.json",
        "images/a.jpeg",
        "checkpoints/old/state/checkpoint",
        "checkpoints/new/state/checkpoint",
        ".dataset.partial/new/x",
        "datasets/damaged/dataset.json",
        "datasets/.0f0f.partial/new/x",
        "pushed/cxr/.tmp-17/x",
        "metadata.sqlite",
        "metadata.sqlite.damaged-1",
        *(f"runs/2026030{day}-120000.json" for day in (1, 2)),
        *(f"logs/2026030{day}-120000.log" for day in (1, 2)),
        *(f"reports/2026030{day}-120000.html" for day in (1, 2)),
    ):
        (root.path / name).parent.mkdir(parents=True, exist_ok=True)
        (root.path / name).write_bytes(b"1")
    (root.artifacts / "Pusher" / ".system" / "executor_execution" / "7").mkdir(parents=True)
    root.tensorboard.mkdir()
    # Of the first run's logs the link alone is left.
    (root.tensorboard / "20260301-120000").symlink_to("../artifacts/Trainer/model_run/5")
    (root.tensorboard / "20260302-120000").symlink_to("../artifacts/Trainer/model/9")
    for path in (root.checkpoints / "old").rglob("*"):
        os.utime(path, (1, 1))
    os.utime(root.checkpoints / "old", (1, 1))
    for name, fingerprint in (("old", "e" * 64), ("of a kept run", "f" * 64)):
        (root.former_datasets / name).mkdir(parents=True)
        DATASET.model_copy(update={"fingerprint": fingerprint}).save(root.former_datasets / name)
    return root


def listed(root, **changes):
    records = runs("finished", "finished")
    found = groups(root, records, records[1:], {"Trainer/model/9"}, [], **changes)
    return {
        each.name: {path.relative_to(root.path).as_posix() for path in each.paths} for each in found
    }


def test_what_no_kept_run_needs_is_listed_and_nothing_else(root):
    assert listed(root) == {
        "unfinished": {
            ".dataset.partial",
            "datasets/.0f0f.partial",
            "pushed/cxr/.tmp-17",
            "metadata.sqlite.damaged-1",
        },
        "artifacts": {"artifacts/Trainer/model/5", "artifacts/Trainer/.system"},
        "converted images": {"datasets/damaged", "datasets/old"},
        "checkpoints": {"checkpoints/old"},
        "records and logs": {
            "runs/20260301-120000.json",
            "logs/20260301-120000.log",
            "reports/20260301-120000.html",
            "tensorboard/20260301-120000",
        },
        "pushed versions": set(),
    }


def test_a_record_that_says_no_time_makes_nothing_old(root):
    records = [run(state="finished", started="yesterday")]
    found = {each.name: each.paths for each in groups(root, records, records, set(), [])}
    assert found["checkpoints"] == ()


def test_a_file_that_also_is_elsewhere_frees_nothing(tmp_path):
    (tmp_path / "a").write_bytes(b"1" * 8192)
    alone = freed([tmp_path / "a"])
    assert alone >= 8192
    os.link(tmp_path / "a", tmp_path / "b")
    assert freed([tmp_path / "a"]) == 0
    assert freed([tmp_path / "a", tmp_path / "b"]) == alone


def version(push_dir, number, graph, **record):
    folder = push_dir / "cxr" / str(number)
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_text(graph)
    manifest = {"name": "cxr", "version": number, "files": sums(folder), **record}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def expired(push_dir, keep):
    return sorted(int(path.name) for path in expired_versions(push_dir, "cxr", keep))


@pytest.fixture
def push_dir(tmp_path):
    for number in range(1, 7):
        version(tmp_path, number, f"graph {number}")
    return tmp_path


def test_the_latest_pushed_versions_stay(push_dir):
    assert expired(push_dir, 2) == [1, 2, 3, 4]
    assert expired(push_dir, 6) == []
    assert expired(push_dir, None) == []


def test_the_version_that_a_rollback_goes_to_stays(push_dir):
    version(push_dir, 7, "graph 6")
    version(push_dir, 8, "graph 6")
    # 6, 7 and 8 are one model; before it there was 5.
    assert expired(push_dir, 2) == [1, 2, 3, 4, 6]


def roll_back(push_dir, number):
    files = json.loads((push_dir / f"cxr/{number}/manifest.json").read_text())["files"]
    left = to_json([RolledBack(number, digest(files))])
    (push_dir / "cxr" / ROLLED_BACK).write_text(left)


def test_the_version_that_a_rollback_goes_to_was_not_rolled_back(push_dir):
    roll_back(push_dir, 5)
    assert expired(push_dir, 1) == [1, 2, 3, 5]


def test_the_newest_whole_version_that_was_not_rolled_back_stays(tmp_path):
    for number, graph in enumerate(("b", "a", "b", "c"), start=1):
        version(tmp_path, number, graph)
    roll_back(tmp_path, 3)
    (tmp_path / "cxr/4/saved_model.pb").write_text("cut")
    # From the broken 4 a rollback goes to 2.
    assert expired(tmp_path, 1) == [1]


def test_a_version_with_a_file_of_others_is_whole(push_dir):
    (push_dir / "cxr/5/.DS_Store").touch()
    assert expired(push_dir, 1) == [1, 2, 3, 4]


def test_the_newest_whole_version_and_what_is_newer_stay(push_dir):
    for number in (5, 6):
        (push_dir / "cxr" / str(number) / "saved_model.pb").write_text("cut")
    assert expired(push_dir, 2) == [1, 2]


def test_where_no_version_is_whole_none_goes(push_dir):
    for number in range(1, 7):
        (push_dir / "cxr" / str(number) / "saved_model.pb").unlink()
    assert expired(push_dir, 2) == []


def test_the_version_that_the_newest_was_compared_with_stays(push_dir):
    version(push_dir, 7, "graph 7", baseline_version="2")
    assert expired(push_dir, 2) == [1, 3, 4, 5]
