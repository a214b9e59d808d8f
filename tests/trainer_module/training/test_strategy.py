import json
from types import SimpleNamespace

import pytest
import tensorflow as tf

from trainer_module.training import strategy


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


WORKERS = {"worker": ["a:1", "b:1", "c:1"]}
WITH_CHIEF = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}


def config(cluster, kind, index):
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize(
    ("cluster", "kind", "index", "chief"),
    [
        (WORKERS, "worker", 0, True),
        (WORKERS, "worker", 1, False),
        (WORKERS, "worker", 2, False),
        (WITH_CHIEF, "chief", 0, True),
        (WITH_CHIEF, "worker", 0, False),
        (WITH_CHIEF, "worker", 1, False),
    ],
)
def test_one_worker_is_the_chief(monkeypatch, cluster, kind, index, chief):
    monkeypatch.setenv("TF_CONFIG", config(cluster, kind, index))
    monkeypatch.setattr(strategy, "has_workers", lambda _: True)
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    assert strategy.is_chief(SimpleNamespace(cluster_resolver=resolver)) is chief


def test_a_process_of_its_own_is_the_chief():
    assert strategy.is_chief(tf.distribute.get_strategy())
    assert strategy.is_chief(tf.distribute.OneDeviceStrategy("/cpu:0"))


def test_the_chief_comes_first():
    assert strategy.cluster({"TF_CONFIG": config(WITH_CHIEF, "worker", 1)}) == ["a:1", "b:1", "c:1"]


@pytest.mark.parametrize("text", ["", "{}", '{"cluster": {"chief": ["a:1"]}}'])
def test_one_process_or_none_is_not_a_cluster_to_check(text):
    assert len(strategy.cluster({"TF_CONFIG": text})) < 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not a JSON object with 'cluster' and 'task'"),
        ("[]", "is not a JSON object"),
        ('{"cluster": 3}', "is not a JSON object"),
        (json.dumps({"cluster": WORKERS}), "its task is None -1, which its cluster does not name"),
        (config(WORKERS, "worker", 3), "its task is worker 3, which its cluster does not name"),
        (config(WORKERS, "chief", 0), "its task is chief 0"),
        (config({**WORKERS, "ps": ["d:1"]}, "worker", 0), "it names ps; only a chief and workers"),
        (config({**WORKERS, "chief": ["d:1", "e:1"]}, "chief", 0), "it names 2 chiefs; name one"),
        (config({**WORKERS, "chief": []}, "worker", 0), "it names 0 chiefs"),
        (config({"worker": ["a:1", "a:1"]}, "worker", 0), "it names an address twice"),
    ],
)
def test_a_cluster_that_cannot_train_is_one_sentence(text, message):
    with pytest.raises(strategy.StrategyError, match=message):
        strategy.cluster({"TF_CONFIG": text})


@pytest.mark.parametrize(
    ("choice", "device", "compiled"),
    [
        ("auto", "/cpu:0", False),
        ("auto", "/gpu:0", True),
        (True, "/cpu:0", True),
        (False, "/gpu:0", False),
    ],
)
def test_the_step_is_compiled_on_one_gpu_or_where_that_is_set(choice, device, compiled):
    assert strategy.is_compiled(tf.distribute.OneDeviceStrategy(device), choice) is compiled


@pytest.mark.parametrize("choice", ["auto", False])
def test_a_step_of_several_replicas_is_not_compiled(choice):
    assert strategy.is_compiled(SimpleNamespace(num_replicas_in_sync=2), choice) is False


def test_a_compiled_step_of_several_replicas_is_refused():
    with pytest.raises(strategy.StrategyError, match="jit_compile=true does not work on 2 replica"):
        strategy.is_compiled(SimpleNamespace(num_replicas_in_sync=2), True)
