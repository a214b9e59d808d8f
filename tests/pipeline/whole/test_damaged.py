"""Each kind of damage under a root either heals in the next run or is reported in three lines."""

import json
import shutil
import subprocess
import sys

import pytest

from components.convert.convert import converted
from pipeline.config.config_file import load
from pipeline.runners import seal
from serving.images.dataset import Dataset
from tests.pipeline.command import REPOSITORY
from tests.pipeline.whole import damaged

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(7200)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged")


@pytest.fixture(scope="module")
def outcomes(folder):
    """What came of each trial; the first two are the runs that the others start from."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.whole.damaged", str(folder)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_damage_heals_or_is_reported_in_three_lines(outcomes):
    _, *trials = [each for each in outcomes if each.get("state") != "killed"]
    assert sum(len(trial["damages"]) for trial in trials) > 25
    wrong = [problem for trial in trials for problem in problems(trial, trials[0])]
    assert wrong == []


def problems(trial, sound):
    """What is not as it may be; the damage of the first trial, the lock's, touches no result."""
    where = str(trial["damages"])
    text = trial["text"]
    if "Traceback" in text:
        yield f"{where}: a traceback"
    if any(each in text for each in ("\\x", "b'", "image_xf", "patient_id")):
        yield f"{where}: content of a file is printed"
    if trial["code"] == 0:
        if trial["fingerprint"] != sound["fingerprint"]:
            yield f"{where}: other data"
        if overall(trial) != pytest.approx(overall(sound), rel=1e-4):
            yield f"{where}: other figures"
        if trial["unverified"]:
            yield f"{where}: {trial['unverified'][0]}"
        return
    message = text[text.rindex("Error") :].strip().splitlines() if "Error" in text else []
    if not 1 <= len(message) <= 3:
        yield f"{where}: the message has {len(message)} lines: {text[-500:]}"
    if not any("/small/" in line for line in message):
        yield f"{where}: no file is named: {message}"


def test_what_is_computed_again_is_the_same_so_that_what_follows_stays_cached(outcomes):
    """But what serves, measures time, or trains, where threads add in any order."""
    executed = {
        frozenset(name.split("/")[1] for name in trial["damages"]): {
            name for name, state in trial["components"].items() if state == "finished"
        }
        for trial in outcomes
        if any(name.startswith("artifacts/") for name in trial.get("damages", ()))
    }
    same = [each for each in executed if not each & {"ServingCheck", "Trainer", "Transform"}]
    assert len(same) == 2
    for damaged_components in same:
        assert executed[damaged_components] == damaged_components | {"Pusher"}


def overall(trial):
    figures = trial["evaluation"]["slices"]["Overall"]
    return {name: value for name, value in figures.items() if value is not None}


@pytest.mark.parametrize("damage", damaged.DAMAGES)
def test_damage_of_any_file_of_an_artifact_is_found(outcomes, folder, tmp_path, damage):
    from ml_metadata import metadata_store

    from pipeline.root.metadata import connection

    whole = shutil.copytree(folder / "whole", tmp_path / "root")
    artifacts = metadata_store.MetadataStore(connection(whole / "metadata.sqlite")).get_artifacts()
    tried = 0
    for artifact in artifacts:
        artifact.uri = str(whole / artifact.uri.split("/small/", 1)[1])
        if not seal.is_sealed(artifact):
            continue
        assert list(seal.damage(artifact)) == []
        files = [path for path in (whole / artifact.uri).rglob("*") if path.is_file()]
        for file in files:
            content = file.read_bytes()
            changed = damaged.DAMAGES[damage](content)
            file.unlink()
            if changed is not None:
                file.write_bytes(changed)
            assert list(seal.damage(artifact)), file
            file.unlink(missing_ok=True)
            file.write_bytes(content)
            tried += 1
    assert tried > 40


@pytest.mark.parametrize("damage", damaged.DAMAGES)
def test_damage_of_any_file_of_the_dataset_is_found(outcomes, folder, tmp_path, damage):
    whole = shutil.copytree(folder / "whole", tmp_path / "root")
    config = load(None, [])
    given = {"settings": config.dataset, "seed": config.seed}
    assert converted(whole / "images", whole / "dataset", **given) == Dataset.load(
        whole / "dataset"
    )
    for file in [path for path in (whole / "dataset").rglob("*") if path.is_file()]:
        content = file.read_bytes()
        changed = damaged.DAMAGES[damage](content)
        file.unlink()
        if changed is not None:
            file.write_bytes(changed)
        assert converted(whole / "images", whole / "dataset", **given) is None, file
        file.unlink(missing_ok=True)
        file.write_bytes(content)
