"""Distribution strategies: from a name to a ``tf.distribute.Strategy``."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
import tensorflow as tf

from trainer_module.training_error import TrainingError
from transform_module.text import count

_TASKS: Final = ("chief", "worker")


class StrategyError(TrainingError):
    """The configured strategy cannot run on this machine."""


def create(name: str) -> tf.distribute.Strategy:
    """Creates the strategy of that name; call it before anything else of TensorFlow runs.

    Args:
        name: see `TrainerSettings.strategy`.

    Returns:
        The strategy, whose `num_replicas_in_sync` scales the batch.

    Raises:
        StrategyError: the hardware it needs is not here, or TF_CONFIG describes no cluster.
    """
    if name == "auto":
        name = _best()
    match name:
        case "cpu":
            return tf.distribute.OneDeviceStrategy("/cpu:0")
        case "gpu":
            _require_gpus(name, 1)
            return tf.distribute.OneDeviceStrategy("/gpu:0")
        case "multi_gpu":
            _require_gpus(name, 2)
            return tf.distribute.MirroredStrategy()
        case "multi_worker":
            workers = len(cluster(os.environ))
            if workers < 2:
                raise StrategyError(
                    "strategy 'multi_worker' needs the environment variable TF_CONFIG to name at"
                    f" least two workers, it names {workers}. Set it on every worker, or use"
                    " strategy 'auto'."
                )
            return tf.distribute.MultiWorkerMirroredStrategy()
        case "tpu":
            return _tpu()
    raise StrategyError(f"unknown strategy {name!r}")


def cluster(environment: Mapping[str, str]) -> list[str]:
    """Reads the processes that train together from TF_CONFIG.

    Vertex AI and Kubeflow name a ``chief`` beside the workers; elsewhere worker 0 is the chief.

    Args:
        environment: the process's environment variables.

    Returns:
        The addresses, host:port, the chief's first; none where there is no TF_CONFIG.

    Raises:
        StrategyError: it is not JSON, or what it describes cannot train together.
    """
    try:
        config = json.loads(environment.get("TF_CONFIG") or "{}")
        tasks = {kind: list(addresses) for kind, addresses in config.get("cluster", {}).items()}
        task = config.get("task", {})
        kind, index = task.get("type"), int(task.get("index", -1))
    except (ValueError, TypeError, AttributeError) as error:
        raise StrategyError(
            "the environment variable TF_CONFIG is not a JSON object with 'cluster' and 'task'."
            " Correct it on every worker, or remove it to train on one machine."
        ) from error
    addresses = [address for name in _TASKS for address in tasks.get(name, [])]
    if len(addresses) < 2:
        return addresses
    wrong = None
    if others := sorted(name for name in tasks if tasks[name] and name not in _TASKS):
        wrong = f"it names {' and '.join(others)}; only a chief and workers train together"
    elif len(tasks.get("chief", ["none"])) != 1:
        wrong = f"it names {len(tasks['chief'])} chiefs; name one, or leave 'chief' out"
    elif len(set(addresses)) < len(addresses):
        wrong = "it names an address twice"
    elif not 0 <= index < len(tasks.get(kind, [])):
        wrong = f"its task is {kind} {index}, which its cluster does not name"
    if wrong:
        raise StrategyError(
            f"the environment variable TF_CONFIG describes no cluster that can train: {wrong}."
        )
    return addresses


def has_workers(strategy: tf.distribute.Strategy) -> bool:
    """Whether several processes train together, each on its share of the images."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes what only one may write."""
    if not has_workers(strategy):
        return True
    resolver = strategy.cluster_resolver
    first = "chief" if "chief" in resolver.cluster_spec().jobs else "worker"
    return bool(resolver.task_type == first and resolver.task_id == 0)


def is_compiled(strategy: tf.distribute.Strategy, jit_compile: bool | Literal["auto"]) -> bool:
    """Whether the train step is compiled by XLA, beside what a TPU does by itself.

    Args:
        strategy: where it runs.
        jit_compile: see `TrainerSettings.jit_compile`.

    Raises:
        StrategyError: it has to be, and the strategy's replicas speak to each other in the step.
    """
    if jit_compile is True and strategy.num_replicas_in_sync > 1:
        raise StrategyError(
            f"trainer.jit_compile=true does not work on {strategy.num_replicas_in_sync} replicas,"
            " whose steps XLA cannot compile: give auto or false, or train on one device."
        )
    if jit_compile != "auto":
        return jit_compile
    if not isinstance(strategy, tf.distribute.OneDeviceStrategy):
        return False
    (device,) = strategy.extended.worker_devices
    return bool(tf.DeviceSpec.from_string(device).device_type == "GPU")


def of_chief(strategy: tf.distribute.Strategy, values: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Broadcasts the chief's values to every worker; each worker has to call it.

    Args:
        strategy: of all workers; where there is one process, the values come back as they are.
        values: numbers. Of other workers only the shapes and dtypes count.

    Returns:
        The chief's, exactly: nothing but zeros is added to them.
    """
    if not has_workers(strategy):
        return list(values)

    given = [tf.convert_to_tensor(value) for value in values]
    return [
        tf.cast(strategy.experimental_local_results(shared)[0], value.dtype)
        for shared, value in zip(_shared(strategy, given), given, strict=True)
    ]


@tf.function(reduce_retracing=True)
def _shared(strategy: tf.distribute.Strategy, values: list[tf.Tensor]) -> list[tf.Tensor]:
    def share(own: list[tf.Tensor]) -> list[tf.Tensor]:
        context = tf.distribute.get_replica_context()
        # The collectives know few dtypes of whole numbers.
        carried = [each if each.dtype.is_floating else tf.cast(each, tf.int64) for each in own]
        is_first = tf.equal(context.replica_id_in_sync_group, 0)
        counted = [tf.where(is_first, each, tf.zeros_like(each)) for each in carried]
        return [context.all_reduce(tf.distribute.ReduceOp.SUM, each) for each in counted]

    return strategy.run(share, args=(values,))


def facts_of_chief(strategy: tf.distribute.Strategy, facts: Any) -> Any:
    """Broadcasts the chief's facts to every worker; each worker has to call it.

    Args:
        strategy: of all workers.
        facts: plain values, as JSON has them. Of other workers they do not count.
    """
    if not has_workers(strategy):
        return facts
    text = np.frombuffer(json.dumps(facts).encode(), np.uint8).astype(np.int64)
    (length,) = of_chief(strategy, [tf.constant(len(text), tf.int64)])
    (encoded,) = of_chief(strategy, [tf.constant(np.resize(text, int(length)))])
    return json.loads(encoded.numpy().astype(np.uint8).tobytes())


def _best() -> str:
    if os.environ.get("TPU_NAME"):
        return "tpu"
    if len(cluster(os.environ)) > 1:
        return "multi_worker"
    gpus = len(tf.config.list_physical_devices("GPU"))
    return ("cpu", "gpu", "multi_gpu")[min(gpus, 2)]


def _require_gpus(name: str, needed: int) -> None:
    present = len(tf.config.list_physical_devices("GPU"))
    if present < needed:
        raise StrategyError(
            f"strategy {name!r} needs {count(needed, 'GPU')}, TensorFlow sees {present}."
            " Use strategy 'auto' or 'cpu', or install TensorFlow's CUDA packages"
            " (pip install 'tensorflow[and-cuda]')."
        )


def _tpu() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, RuntimeError, tf.errors.OpError) as error:
        raise StrategyError(
            "strategy 'tpu' found no TPU: set TPU_NAME to a TPU that this machine reaches,"
            " or use strategy 'auto'."
        ) from error
    return tf.distribute.TPUStrategy(resolver)
