"""The pipeline as a specification that Kubeflow Pipelines and Vertex AI run (KFP's IR, 2.1)."""

import json
from typing import Any, Final

from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import (
    KubeflowV2DagRunner,
    KubeflowV2DagRunnerConfig,
)

from components.baseline import LATEST
from pipeline import graph_check
from pipeline.config import Config
from pipeline.pipeline import UNCACHED, Inputs, create_pipeline, tunable

_UNCACHED: Final = (*UNCACHED, "Baseline")
"""Which version is pushed is seen only when the task runs."""

_ResourceSpec = pipeline_spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec


def specify(config: Config) -> dict[str, Any]:
    """Compiles the pipeline.

    Needs no network, and gives the same for the same configuration.

    Args:
        config: With ``cluster.image``, ``cluster.root`` and ``cluster.examples``.

    Returns:
        A PipelineJob, as JSON has it: ``pipelineSpec`` with the defaults of its parameters,
        ``displayName``, ``labels``, and ``runtimeConfig`` with the root.
    """
    cluster = config.cluster
    parameters = {
        "examples": cluster.examples or "",
        "dataset_fingerprint": "",
        "push_dir": cluster.push_directory or f"{cluster.root}/pushed",
        **tunable(config),
    }
    open_until_submitted = {
        name: RuntimeParameter(name, ptype=type(value), default=value)
        for name, value in parameters.items()
    }
    wired = create_pipeline(
        config,
        Inputs(
            fingerprint=open_until_submitted.pop("dataset_fingerprint"),
            images="",
            quarantine="",
            artifacts=cluster.root or "",
            checkpoints="",
            baseline_version=LATEST,
            **open_until_submitted,
        ),
    )
    graph_check.check_graph(wired, UNCACHED)
    for node in wired.components:
        if given := cluster.resources.get(node.id):
            resources = _ResourceSpec(cpu_limit=given.cpu, memory_limit=given.memory)
            if given.accelerator:
                resources.accelerator.type = given.accelerator
                resources.accelerator.count = given.accelerators
            node.with_platform_config(resources)
    runner = KubeflowV2DagRunner(
        KubeflowV2DagRunnerConfig(default_image=cluster.image, use_pipeline_spec_2_1=True)
    )
    job: dict[str, Any] = json.loads(json.dumps(runner.run(wired, write_out=False)))
    root = job["pipelineSpec"]["root"]
    # TFX's compiler drops them.
    for name, value in parameters.items():
        root["inputDefinitions"]["parameters"][name] |= {"defaultValue": value, "isOptional": True}
    for name, task in root["dag"]["tasks"].items():
        if name in _UNCACHED:
            task["cachingOptions"] = {}
        if (given := cluster.resources.get(name)) and given.retries:
            task["retryPolicy"] = {"maxRetryCount": given.retries}
    return job
