"""The pipeline as a specification that Kubeflow Pipelines and Vertex AI run (KFP's IR, 2.1)."""

import json
import shlex
from typing import Any, Final

from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import (
    KubeflowV2DagRunner,
    KubeflowV2DagRunnerConfig,
)

from components.artifacts.example_counts import FINGERPRINT
from components.baseline.component import LATEST
from components.google_cloud import dataflow
from pipeline.component_ids import BASELINE, ENDPOINT, EXAMPLE_GEN
from pipeline.config.cluster_settings import ResourceSettings
from pipeline.config.config import Config
from pipeline.pipeline import UNCACHED, Inputs, beam_args, create_pipeline, tunable
from pipeline.run.preflight import graph_check
from serving.beam.beam_args import BEAM_ARGS

_UNCACHED: Final = (*UNCACHED, BASELINE, ENDPOINT)
"""What is pushed, and what an endpoint serves, is seen only when the task runs."""

_INPUTS: Final = "--json_serialized_inputs_spec_args"
_COMMAND: Final = ("python", "-m", "components.task")

_LONGEST_RETRY: Final = f"{7 * 24 * 3600}s"
"""A limit on all tries together, from the start of the first (argo-workflows 3.6.19,
workflow/controller/operator.go, lines 1009-1067). Without one Kubeflow sets it to 0 s, and nothing
is tried again (kubeflow/pipelines 2.17.0, compiler/argocompiler/container.go, lines 410, 640-685).
Vertex AI lowers it to an hour."""


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
        FINGERPRINT: cluster.dataset_fingerprint or "",
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
            fingerprint=open_until_submitted.pop(FINGERPRINT),
            images="",
            quarantine="",
            artifacts=cluster.root or "",
            checkpoints=f"{cluster.root}/checkpoints" if cluster.root else "",
            baseline_version=LATEST,
            beam_args=(),
            google_cloud=cluster.google_cloud,
            page=True,
            **open_until_submitted,
        ),
    )
    graph_check.check_graph(wired, _UNCACHED)
    runner = KubeflowV2DagRunner(
        KubeflowV2DagRunnerConfig(
            default_image=cluster.image, default_commands=_COMMAND, use_pipeline_spec_2_1=True
        )
    )
    job: dict[str, Any] = json.loads(json.dumps(runner.run(wired, write_out=False)))
    spec = job["pipelineSpec"]
    for node in wired.components:
        if _is_beam(node):
            _open(spec, node.id, BEAM_ARGS)
    # TFX's driver finds out by itself that the data has changed, and Kubeflow does not run it.
    _open(spec, EXAMPLE_GEN, FINGERPRINT)
    root = spec["root"]
    # TFX's compiler drops them.
    for name, value in parameters.items():
        root["inputDefinitions"]["parameters"][name] |= {"defaultValue": value, "isOptional": True}
    for name, task in root["dag"]["tasks"].items():
        if name in _UNCACHED:
            task["cachingOptions"] = {}
        given = cluster.given(name)
        if given.retries:
            task["retryPolicy"] = {
                "maxRetryCount": given.retries,
                "backoffDuration": "60s",
                "backoffFactor": 2.0,
                "backoffMaxDuration": _LONGEST_RETRY,
            }
        label = spec["components"][task["componentRef"]["name"]]["executorLabel"]
        # TFX's own settings of resources do not reach ImportExampleGen.
        _give(spec["deploymentSpec"]["executors"][label]["container"], given)
    return job


def _give(container: dict[str, Any], given: ResourceSettings) -> None:
    resources = {
        "cpuLimit": given.cpu,
        "memoryLimit": given.memory,
        "cpuRequest": given.cpu_request,
        "memoryRequest": given.memory_request,
        "accelerator": {"type": given.accelerator, "count": str(given.accelerators)}
        if given.accelerator
        else None,
    }
    if set_ := {name: value for name, value in resources.items() if value is not None}:
        container["resources"] = set_
    if given.environment:
        container["env"] = [
            {"name": name, "value": value} for name, value in given.environment.items()
        ]


def _beam_args(config: Config) -> list[str]:
    cluster = config.cluster
    google_cloud = cluster.google_cloud
    if google_cloud is None or google_cloud.dataflow is None:
        return list(beam_args(config))
    found = dataflow.beam_args(google_cloud, cluster.image or "", cluster.root or "")
    return [*found, *config.beam.options]


def _is_beam(node: BaseNode) -> bool:
    return issubclass(node.executor_spec.executor_class, BaseBeamExecutor)


def _open(spec: dict[str, Any], name: str, parameter: str) -> None:
    """Adds a parameter of the pipeline, a text, to those of a task.

    TFX's compiler would write Beam's arguments into each command, where nothing can change them,
    and gives components that read files no parameters of their own.
    """
    declared = {"parameterType": "STRING"}
    spec["root"]["inputDefinitions"]["parameters"].setdefault(parameter, dict(declared))
    task = spec["root"]["dag"]["tasks"][name]
    task["inputs"]["parameters"][parameter] = {"componentInputParameter": parameter}
    component = spec["components"][task["componentRef"]["name"]]
    inputs = component["inputDefinitions"]
    inputs["parameters"][parameter] = dict(declared)
    container = spec["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
    hook = container.get("lifecycle", {}).get("preCacheCheck", {"args": []})
    for args in (container["args"], hook["args"]):
        if _INPUTS in args:
            args[args.index(_INPUTS) + 1] = json.dumps(inputs, sort_keys=True)
