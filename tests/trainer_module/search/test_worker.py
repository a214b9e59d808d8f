"""A search that one process leads and another one trains for."""

import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from tests.ports import reserved
from tests.trainer_module import small
from trainer_module.job import Job
from trainer_module.search import tuner_fn
from trainer_module.settings.search import TunerSettings

pytestmark = pytest.mark.slow


@pytest.fixture
def port():
    with reserved() as (found,):
        yield found


def test_a_worker_trains_what_the_chief_draws(transformed, tmp_path, monkeypatch, port):
    address = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": str(port)}
    for name, value in {**address, "KERASTUNER_TUNER_ID": "chief"}.items():
        monkeypatch.setenv(name, value)
    search = TunerSettings(space={"learning_rate": [1e-3, 1e-2]}, trials=2, epochs=1)
    job = Job(small.SETTINGS, 7, "data", "code", str(tmp_path), tuner=search)
    chief = tuner_fn.tuner_fn(
        SimpleNamespace(
            custom_config=job.custom_config(),
            train_files=transformed.train_files,
            eval_files=transformed.eval_files,
        )
    ).tuner
    (message,) = tmp_path.glob("search-*/job.json")
    leading = threading.Thread(target=chief.search, daemon=True)
    leading.start()
    worker = subprocess.run(
        [sys.executable, "-m", "trainer_module.search.worker", str(message)],
        env={**os.environ, "KERASTUNER_TUNER_ID": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert worker.returncode == 0, worker.stderr[-3000:]
    assert "trial  2/2  val_auc" in worker.stderr
    leading.join(timeout=600)
    assert not leading.is_alive()
    scores = [trial.score for trial in chief.oracle.trials.values()]
    assert len(scores) == 2
    best = max(chief.oracle.trials.values(), key=lambda trial: trial.score)
    assert chief.get_best_hyperparameters()[0].values == best.hyperparameters.values
