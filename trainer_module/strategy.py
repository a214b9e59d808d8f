"""Where a training runs: from a name to a ``tf.distribute.Strategy``."""

import json
import os

import tensorflow as tf


class StrategyError(ValueError):
    """The strategy that was asked for cannot run on this machine."""


def create(name: str) -> tf.distribute.Strategy:
    """Creates the strategy of that name; call it before anything else of TensorFlow runs.

    Args:
        name: see `TrainerSettings.strategy`.

    Returns:
        The strategy, whose `num_replicas_in_sync` scales the batch.

    Raises:
        StrategyError: the hardware it needs is not here.
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
            if _workers() < 2:
                raise StrategyError(
                    "strategy 'multi_worker' needs the environment variable TF_CONFIG to name at"
                    f" least two workers, it names {_workers()}. Set it on every worker, or use"
                    " strategy 'auto'."
                )
            return tf.distribute.MultiWorkerMirroredStrategy()
        case "tpu":
            return _tpu()
    raise StrategyError(f"unknown strategy {name!r}")


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process is the one that writes what only one may write."""
    resolver = strategy.cluster_resolver
    return (
        resolver is None
        or not resolver.task_type
        or (resolver.task_type in ("chief", "worker") and resolver.task_id == 0)
    )


def _best() -> str:
    if os.environ.get("TPU_NAME"):
        return "tpu"
    if _workers() > 1:
        return "multi_worker"
    gpus = len(tf.config.list_physical_devices("GPU"))
    return ("cpu", "gpu", "multi_gpu")[min(gpus, 2)]


def _workers() -> int:
    cluster = json.loads(os.environ.get("TF_CONFIG", "{}")).get("cluster", {})
    return len(cluster.get("chief", [])) + len(cluster.get("worker", []))


def _require_gpus(name: str, needed: int) -> None:
    present = len(tf.config.list_physical_devices("GPU"))
    if present < needed:
        raise StrategyError(
            f"strategy {name!r} needs {needed} GPU(s), TensorFlow sees {present}."
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
