import json

import pytest

from trainer_module import strategy


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in ("TF_CONFIG", "TPU_NAME"):
        monkeypatch.delenv(name, raising=False)


def test_auto_without_accelerator_is_the_cpu():
    assert "CPU:0" in str(strategy.create("auto").extended.worker_devices).upper()


@pytest.mark.parametrize("name", ["gpu", "multi_gpu"])
def test_missing_gpus_are_said(name):
    with pytest.raises(strategy.StrategyError, match=r"TensorFlow sees 0\..*'auto' or 'cpu'"):
        strategy.create(name)


def test_tpu_without_a_tpu_is_one_clear_sentence():
    with pytest.raises(strategy.StrategyError, match="found no TPU: set TPU_NAME"):
        strategy.create("tpu")


def test_multi_worker_needs_workers(monkeypatch):
    with pytest.raises(strategy.StrategyError, match="TF_CONFIG"):
        strategy.create("multi_worker")
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": {"worker": ["localhost:1"]}}))
    with pytest.raises(strategy.StrategyError, match="it names 1"):
        strategy.create("multi_worker")
