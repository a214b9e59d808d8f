"""Training as a custom job of Vertex AI, which the Trainer's task starts and waits for."""

from typing import Any

from tfx.extensions.google_cloud_ai_platform import constants
from tfx.extensions.google_cloud_ai_platform.trainer import executor as cloud_executor

from components import trainer
from components.google_cloud.settings import GoogleCloudSettings


class Executor(cloud_executor.GenericExecutor):
    """TFX's; the job runs what the task would have run."""

    def _GetExecutorClass(self) -> type:
        return trainer.Executor


def custom_config(settings: GoogleCloudSettings, name: str, image: str) -> dict[str, Any]:
    """Returns the configuration of the job that the executor starts.

    Args:
        settings: with ``trainer_job``.
        name: the job's display name.
        image: that holds this package.

    Returns:
        Entries of the Trainer's ``custom_config``; the job is a ``CustomJob`` of Vertex AI, without
        the command, which TFX writes.
    """
    chosen = settings.trainer_job
    assert chosen is not None
    machine: dict[str, Any] = {"machine_type": chosen.machine}
    if chosen.accelerator:
        machine["accelerator_type"] = chosen.accelerator
        machine["accelerator_count"] = chosen.accelerators
    if chosen.tpu_topology:
        machine["tpu_topology"] = chosen.tpu_topology
    # The first pool is the chief's; Vertex AI describes the others to each worker in TF_CONFIG.
    pools = [1, chosen.workers - 1] if chosen.workers > 1 else [1]
    job: dict[str, Any] = {
        "worker_pool_specs": [
            {
                "machine_spec": machine,
                "replica_count": replicas,
                "container_spec": {"image_uri": image},
            }
            for replicas in pools
        ]
    }
    if settings.service_account:
        job["service_account"] = settings.service_account
    if settings.network:
        job["network"] = settings.network
    return {
        constants.ENABLE_VERTEX_KEY: True,
        constants.VERTEX_REGION_KEY: settings.region,
        cloud_executor.TRAINING_ARGS_KEY: {
            "project": settings.project,
            "display_name": name,
            "job_spec": job,
        },
    }
