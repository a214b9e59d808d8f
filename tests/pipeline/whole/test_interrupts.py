"""Runs that get a signal at moments of every step and component; see `interrupted`."""

import json
import signal
import subprocess
import sys

import pytest

from tests.pipeline.command import COMPONENTS, REPOSITORY, cxr, figures, same_figures

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(7200)]

MOMENTS = 30
SAID = {
    "SIGINT": "Interrupted. Repeat the command to resume.",
    "SIGTERM": "Stopped by SIGTERM. Repeat the command to resume.",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("interrupts")
    with (folder / "said").open("wb") as said:
        done = subprocess.run(
            [sys.executable, "-m", "tests.pipeline.whole.interrupted", folder],
            cwd=REPOSITORY,
            stdout=said,
            stderr=said,
            check=False,
        )
    assert done.returncode == 0, (folder / "said").read_text()
    return folder


@pytest.fixture(scope="module")
def ends(folder):
    """How each run ended, those that got a signal by its name."""
    return json.loads((folder / "ends.json").read_text())


@pytest.fixture(scope="module")
def stopped(ends):
    return [end for end in ends if end["signal"]]


@pytest.fixture(scope="module")
def repeated(folder):
    return json.loads((folder / "root" / "printed").read_text())


def test_every_component_was_stopped_and_by_each_signal_many(stopped):
    # The last components are so brief that one or the other run may have ended before its signal.
    hit = [end for end in stopped if end["code"]]
    assert len(hit) >= MOMENTS
    assert {end["moment"].split(",")[0] for end in hit} >= COMPONENTS
    for name in ("SIGINT", "SIGTERM", "SIGKILL"):
        assert len([end for end in hit if end["signal"] == name]) >= MOMENTS // 4


def test_each_ended_with_the_signals_code_in_one_sentence(stopped):
    for end in stopped:
        number = signal.Signals[end["signal"]]
        if end["code"] == 0:  # It ended by itself before it looked.
            assert end["state"] == "finished", end
            continue
        if number == signal.SIGKILL:
            assert end["code"] == -number, end
            continue
        assert end["code"] == 128 + number, end
        assert end["said"].splitlines()[-1] == SAID[end["signal"]], end
        assert "Traceback" not in end["said"], end
        assert "Error" not in end["said"], end


def test_each_is_listed_as_what_ended_it(stopped):
    for end in stopped:
        if end["signal"] == "SIGKILL" and end["code"]:
            assert end["state"] == "killed", end
        else:
            # The signal may have come when the run's record was finished and was being printed.
            assert end["state"] in ("interrupted", "finished"), end


def test_no_process_is_left_nor_a_file_in_the_machines_folder(ends):
    for end in ends:
        assert end["processes"] == [], end
        assert end["public"] == [], end


def test_no_temporary_file_is_left_but_by_sigkill(ends):
    for end in ends:
        if end["signal"] != "SIGKILL":
            assert end["files"] == [], end


def test_nothing_is_ever_pushed_that_was_not_blessed(ends):
    for end in ends:
        assert end["not_blessed"] == [], end


def test_the_last_one_comes_to_the_result_of_an_undisturbed_run(folder, ends, repeated):
    whole = json.loads((folder / "whole" / "printed").read_text())
    assert (ends[-1]["code"], ends[-1]["state"]) == (0, "finished")
    # Threads add what a training sums up in another order each time, in single precision.
    assert figures(repeated) == same_figures(whole)
    assert repeated["push"]["pushed"]
    assert repeated["report"]["reason"] == ""


def test_no_unfinished_folder_is_left_under_the_root(folder):
    root = folder / "root"
    partial = [path for path in root.rglob("*") if ".partial" in path.name or ".tmp" in path.name]
    assert partial == []
    assert list((root / "tmp").iterdir()) == []
    made = {int(path.name) for path in (root / "artifacts").glob("*/*/[0-9]*")}
    assert made <= finished_executions(root)


def finished_executions(root):
    from ml_metadata import metadata_store
    from ml_metadata.proto.metadata_store_pb2 import Execution

    from pipeline.root.metadata import connection

    executions = metadata_store.MetadataStore(connection(root / "metadata.sqlite")).get_executions()
    assert {each.last_known_state for each in executions} <= {
        *(Execution.COMPLETE, Execution.CACHED, Execution.FAILED)
    }
    return {each.id for each in executions if each.last_known_state == Execution.COMPLETE}


def test_the_runs_are_listed_with_the_seconds_that_they_took(folder, ends):
    listed = json.loads(cxr("runs", "--json", "--root", folder / "root"))
    assert len(listed) == len(ends) - 1  # The undisturbed one is under another root.
    assert all(record["seconds"] > 0 for record in listed)
