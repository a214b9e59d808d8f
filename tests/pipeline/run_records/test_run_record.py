import json
import re

import pytest

from pipeline.run_records import run_record
from pipeline.run_records.run_record import find, last_finished, load_all, save, why_not_cached
from tests.pipeline import records
from transform_module.errors import UserError


def test_a_record_survives_its_file(tmp_path):
    save(records.run(), tmp_path / "runs")
    assert load_all(tmp_path / "runs", None) == [records.run()]


def test_a_record_from_before_the_steps_were_timed_loads(tmp_path):
    record = records.run().model_dump(mode="json")
    del record["steps"], record["timeline"]
    for component in record["components"]:
        del component["start"]
    (tmp_path / "20260301-1.json").write_text(json.dumps(record))
    assert load_all(tmp_path, None) == [records.run()]


def test_records_come_the_oldest_first(tmp_path):
    for identity in ("20260302-1", "20260301-2", "20260301-1"):
        save(records.run(identity), tmp_path)
    loaded = [record.id for record in load_all(tmp_path, None)]
    assert loaded == ["20260301-1", "20260301-2", "20260302-1"]


def test_a_folder_that_is_not_there_holds_no_record(tmp_path):
    assert load_all(tmp_path / "runs", None) == []


def test_a_write_that_is_cut_short_leaves_the_former_record(tmp_path, monkeypatch):
    save(records.run(state="running"), tmp_path)

    def cut_short(path, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_record.Path, "replace", cut_short)
    with pytest.raises(OSError, match="No space"):
        save(records.run(), tmp_path)
    assert [record.state for record in load_all(tmp_path, 1)] == ["running"]


@pytest.mark.parametrize(("alive", "state"), [(17, "running"), (18, "killed"), (None, "killed")])
def test_a_run_that_never_recorded_its_end_runs_only_where_its_process_does(tmp_path, alive, state):
    save(records.run(state="running", pid=17), tmp_path)
    assert [record.state for record in load_all(tmp_path, alive)] == [state]


def test_a_run_that_has_ended_is_not_called_killed(tmp_path):
    save(records.run(state="failed", pid=17), tmp_path)
    assert [record.state for record in load_all(tmp_path, None)] == ["failed"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "content: Invalid JSON: EOF"),
        (b'{"id": 3}', "id: Input should"),
        (b"\xff\0", "content: Invalid JSON"),
        (b"[" * 100_000, "content: Invalid JSON"),
    ],
)
def test_a_damaged_record_is_listed_with_what_is_wrong_beside_the_good_ones(
    tmp_path, content, problem
):
    save(records.run("20260301-2"), tmp_path)
    path = tmp_path / "20260301-1.json"
    path.write_bytes(content)
    damaged, good = load_all(tmp_path, None)
    assert good == records.run("20260301-2")
    assert (damaged.id, damaged.state) == ("20260301-1", "damaged")
    message = rf"{re.escape(str(path))} is not a record of a run \({problem}.*\)\. Remove it; .*"
    assert re.fullmatch(message, damaged.error)


def test_a_folder_in_the_place_of_a_record_is_a_damaged_one(tmp_path):
    (tmp_path / "20260301-1.json").mkdir()
    assert "Is a directory" in load_all(tmp_path, None)[0].error


def test_what_a_component_did_last_is_that_of_the_last_run_in_which_it_ended_well():
    def run(**changes):
        return records.run(components=[records.component(**changes)])

    good = run(outputs={"model": ["/r/5"]}, why="this")
    killed = run()  # It never came to record what it made.
    for state in ("failed", "interrupted"):
        others = [good, killed, run(state=state, outputs={"model": ["/r/6"]})]
        assert last_finished(others, "Trainer") is good.components[0]
    assert last_finished([killed], "Trainer") is None


def test_a_component_is_found_by_its_name():
    assert records.run().component("Trainer").why == "first time"
    assert records.run().component("Pusher") is None


RUNS = [records.run("20260301-120000"), records.run("20260302-130000")]


@pytest.mark.parametrize(("wanted", "index"), [("20260301-120000", 0), ("last", 1)])
def test_a_run_is_found_by_its_id_or_as_the_last(wanted, index):
    assert find(RUNS, wanted) is RUNS[index]


def test_a_wrong_id_is_refused_with_the_nearest_one():
    with pytest.raises(UserError, match=r"no run 2026031-120000\. Did you mean 20260301-120000\?"):
        find(RUNS, "2026031-120000")


@pytest.mark.parametrize(("wanted", "index"), [("20260301", 0), ("20260302-1", 1)])
def test_a_run_is_found_by_the_beginning_of_its_id(wanted, index):
    assert find(RUNS, wanted) is RUNS[index]


def test_the_beginning_of_several_ids_is_refused_with_their_names():
    message = r"2 runs begin with 202603: 20260301-120000, 20260302-130000\. Give more of it\."
    with pytest.raises(UserError, match=message):
        find(RUNS, "202603")
    many = [records.run(f"2026030{day}-1") for day in range(1, 9)]
    with pytest.raises(UserError, match=r"8 runs begin with 2026: 3 more, 20260304-1, .*08-1\."):
        find(many, "2026")


def test_a_whole_id_counts_though_another_one_begins_with_it():
    both = [records.run("20260301-120000"), records.run("20260301-120000-2")]
    assert find(both, "20260301-120000") is both[0]


def test_an_empty_id_is_none():
    with pytest.raises(UserError, match="There is no run "):
        find(RUNS, "")


def test_a_record_with_the_fields_of_a_later_release_loads(tmp_path):
    content = {**records.run().model_dump(mode="json"), "of a later release": [1]}
    (tmp_path / "20260301-1.json").write_text(json.dumps(content))
    assert load_all(tmp_path, None) == [records.run()]


def test_an_evaluation_of_an_earlier_release_has_all_metrics(tmp_path):
    content = records.run().model_dump(mode="json")
    del content["evaluation"]["slices"]["Overall"]["ece"], content["evaluation"]["baseline"]
    (tmp_path / "20260301-1.json").write_text(json.dumps(content))
    (loaded,) = load_all(tmp_path, None)
    assert loaded.evaluation["slices"]["Overall"]["ece"] is None
    assert loaded.evaluation["slices"]["Overall"]["auc"] == 0.98765
    assert loaded.evaluation["baseline"] is None


def test_an_id_like_no_other_is_refused_with_the_latest():
    with pytest.raises(UserError, match=r"no run x\. The latest is 20260302-130000\."):
        find(RUNS, "x")


def why(before, after):
    return why_not_cached(records.component(**after), records.component(**before))


def test_what_never_ended_well_ran_for_the_first_time():
    assert why_not_cached(records.component(), None) == "first time"


def test_where_nothing_differs_nothing_is_reported():
    assert why({"parameters": {"a": 1}}, {"parameters": {"a": 1}}) == ""


def test_other_parameters_are_reported_with_both_values():
    message = why({"parameters": {"splits": 1, "epochs": 3}}, {"parameters": {"splits": 1}})
    assert message == "epochs 3 -> None"


def test_parameters_within_parameters_are_reported_by_their_path():
    before, after = (
        {"parameters": {"custom_config": {"seed": 7, "settings": {"epochs": epochs}}}}
        for epochs in (3, 25)
    )
    assert why(before, after) == "custom_config.settings.epochs 3 -> 25"


def test_long_values_are_cut():
    message = why({"parameters": {"code": "a" * 64}}, {"parameters": {"code": "b" * 64}})
    assert message == "code aaaaaaaa... -> bbbbbbbb..."


def test_other_inputs_are_reported_by_their_channel():
    assert why({"inputs": {"model": ["/m/1"]}}, {"inputs": {"model": ["/m/2"]}}) == "other model"


def test_of_many_differences_three_are_reported():
    message = why(
        {"parameters": dict.fromkeys("abcde", 1)}, {"parameters": dict.fromkeys("abcde", 2)}
    )
    assert message == "a 1 -> 2, b 1 -> 2, c 1 -> 2, 2 more"
