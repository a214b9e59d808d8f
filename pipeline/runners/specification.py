"""The pipeline as a specification that Kubeflow Pipelines and Vertex AI run (KFP's IR, 2.1)."""

import json
import shlex
from typing import Any, Final

from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import (
    KubeflowV2DagRunner,
    KubeflowV2DagRunnerConfig,
)

from components.baseline.component import LATEST
from components.google_cloud import dataflow
from pipeline.config.config import Config
from pipeline.pipeline import UNCACHED, Inputs, beam_args, create_pipeline, tunable
from pipeline.run.preflight import graph_check
from serving.beam.beam_args import BEAM_ARGS

_UNCACHED: Final = (*UNCACHED, "Baseline", "Endpoint")
"""What is pushed, and what an endpoint serves, is seen only when the task runs."""

_INPUTS: Final = "--json_serialized_inputs_spec_args"
_COMMAND: Final = ("python", "-m", "components.task")

_ResourceSpec = pipeline_spec_pb2.PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec


def specify(config: Config) -> dict[str, Any]:
    """Compiles the pipeline.

    Needs no network, and gives the same for the same configuration.

    Args:
        config: with ``cluster.image``, ``cluster.root`` and ``cluster.examples``.

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
        BEAM_ARGS: shlex.join(_beam_args(config)),
    }
    open_until_submitted = {
        name: RuntimeParameter(name, ptype=type(value), default=value)
        for name, value in parameters.items()
        if name != BEAM_ARGS
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
            beam_args=(),
            google_cloud=cluster.google_cloud,
            page=True,
            **open_until_submitted,
        ),
    )
    graph_check.check_graph(wired, _UNCACHED)
    for node in wired.components:
        if given := cluster.resources.get(node.id):
            resources = _ResourceSpec(cpu_limit=given.cpu, memory_limit=given.memory)
            if given.accelerator:
                resources.accelerator.type = given.accelerator
                resources.accelerator.count = given.accelerators
            node.with_platform_config(resources)
    runner = KubeflowV2DagRunner(
        KubeflowV2DagRunnerConfig(
            default_image=cluster.image, default_commands=_COMMAND, use_pipeline_spec_2_1=True
        )
    )
    job: dict[str, Any] = json.loads(json.dumps(runner.run(wired, write_out=False)))
    root = job["pipelineSpec"]["root"]
    _open_beam_args(job, [node.id for node in wired.components if _is_beam(node)])
    # TFX's compiler drops them.
    for name, value in parameters.items():
        root["inputDefinitions"]["parameters"][name] |= {"defaultValue": value, "isOptional": True}
    for name, task in root["dag"]["tasks"].items():
        if name in _UNCACHED:
            task["cachingOptions"] = {}
        if (given := cluster.resources.get(name)) and given.retries:
            task["retryPolicy"] = {"maxRetryCount": given.retries}
    return job


def _beam_args(config: Config) -> list[str]:
    google_cloud = config.cluster.google_cloud
    if google_cloud is None or google_cloud.dataflow is None:
        return list(beam_args(config))
    return [*dataflow.beam_args(google_cloud, config.cluster.root or ""), *config.beam.args]


def _is_beam(node: BaseNode) -> bool:
    return issubclass(node.executor_spec.executor_class, BaseBeamExecutor)


def _open_beam_args(job: dict[str, Any], tasks: list[str]) -> None:
    """Adds a parameter to the tasks that `components.task` hands to Beam.

    TFX's compiler would write the arguments into each command, where nothing can change them.
    """
    spec = job["pipelineSpec"]
    declared = {"parameterType": "STRING"}
    spec["root"]["inputDefinitions"]["parameters"][BEAM_ARGS] = dict(declared)
    for name in tasks:
        task = spec["root"]["dag"]["tasks"][name]
        task["inputs"]["parameters"][BEAM_ARGS] = {"componentInputParameter": BEAM_ARGS}
        component = spec["components"][task["componentRef"]["name"]]
        inputs = component["inputDefinitions"]
        inputs["parameters"][BEAM_ARGS] = dict(declared)
        container = spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
        hook = container.get("lifecycle", {}).get("preCacheCheck", {"args": []})
        for args in (container["args"], hook["args"]):
            if _INPUTS in args:
                args[args.index(_INPUTS) + 1] = json.dumps(inputs, sort_keys=True)
