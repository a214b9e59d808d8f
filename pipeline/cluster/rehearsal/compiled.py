"""A compiled file, read as a cluster reads it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import yaml
from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2
from kfp.pipeline_spec import pipeline_spec_pb2

from transform_module.errors import UserError

_JOB: Final = "pipelineSpec"
_TYPES: Final = {
    pipeline_spec_pb2.ParameterType.STRING: (str,),
    pipeline_spec_pb2.ParameterType.NUMBER_INTEGER: (int,),
    pipeline_spec_pb2.ParameterType.NUMBER_DOUBLE: (int, float),
    pipeline_spec_pb2.ParameterType.BOOLEAN: (bool,),
}


@dataclass(frozen=True)
class Compiled:
    """A pipeline's specification and the values of its parameters.

    Attributes:
        spec: the official proto.
        parameters: values by name: those of the job, else the defaults.
        root: where a cluster would put the outputs.
        is_job: whether it is Vertex AI's form, not Kubeflow's.
        pods: what Kubernetes is to know of each executor's pod, by the executor's label.
    """

    spec: pipeline_spec_pb2.PipelineSpec
    parameters: Mapping[str, Any]
    root: str
    is_job: bool = False
    pods: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def tasks(self) -> Mapping[str, pipeline_spec_pb2.PipelineTaskSpec]:
        """The tasks by name."""
        return dict(self.spec.root.dag.tasks)

    def component(self, task: str) -> pipeline_spec_pb2.ComponentSpec:
        """Finds what a task is an instance of."""
        return self.spec.components[self.tasks[task].component_ref.name]

    def executor(self, task: str) -> pipeline_spec_pb2.PipelineDeploymentConfig.ExecutorSpec:
        """Finds how a task is run."""
        return self._deployment.executors[self.component(task).executor_label]

    @cached_property
    def mounts(self) -> set[str]:
        """The folders at which pods mount volumes and secrets of the cluster."""
        return {
            each["mountPath"]
            for pod in self.pods.values()
            for each in (*pod.get("pvcMount", ()), *pod.get("secretAsVolume", ()))
        }

    @cached_property
    def _deployment(self) -> pipeline_spec_pb2.PipelineDeploymentConfig:
        deployment = pipeline_spec_pb2.PipelineDeploymentConfig()
        content = json_format.MessageToDict(self.spec.deployment_spec)
        return json_format.ParseDict(content, deployment)

    def needs(self, task: str) -> set[str]:
        """Names the tasks that must end before this one begins."""
        spec = self.tasks[task]
        producers = {
            each.task_output_artifact.producer_task for each in spec.inputs.artifacts.values()
        }
        return producers | set(spec.dependent_tasks)

    def before(self, task: str) -> set[str]:
        """Names all the tasks that a task follows from."""
        needs = self.needs(task)
        return needs.union(*(self.before(each) for each in needs))

    def after(self, task: str) -> set[str]:
        """Names all the tasks that follow from a task."""
        return {each for each in self.tasks if task in self.before(each)}

    def value(self, task: str, name: str) -> Any:
        """Returns a task's parameter; None where there is no such task, or it has no value."""
        if task not in self.tasks:
            return None
        source = self.tasks[task].inputs.parameters[name]
        if source.WhichOneof("kind") == "component_input_parameter":
            return self.parameters.get(source.component_input_parameter)
        return _plain(json_format.MessageToDict(source.runtime_value.constant))


def read(path: Path) -> Compiled:
    """Reads a file of either target.

    Raises:
        UserError: it cannot be read, or is not a pipeline.
    """
    try:
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(
            f"{path}: it cannot be read ({error}). Make it with `cxr compile`."
        ) from None
    if not (0 < len(documents) <= 2 and all(isinstance(each, dict) for each in documents)):
        raise UserError(f"{path}: it is not a compiled pipeline. Make it with `cxr compile`.")
    content, *others = documents
    job = content if _JOB in content else {_JOB: content}
    spec, platform = pipeline_spec_pb2.PipelineSpec(), pipeline_spec_pb2.PlatformSpec()
    try:
        json_format.Parse(json.dumps(job[_JOB]), spec)
        for other in others:
            json_format.Parse(json.dumps(other), platform)
    except (json_format.ParseError, TypeError) as error:
        raise UserError(f"{path}: it is not a pipeline's specification: {error}") from None
    if not spec.root.dag.tasks:
        raise UserError(f"{path}: the pipeline has no task: root.dag.tasks is empty.")
    defaults = {
        name: _plain(json_format.MessageToDict(each.default_value))
        for name, each in spec.root.input_definitions.parameters.items()
        if each.HasField("default_value")
    }
    runtime = job.get("runtimeConfig", {})
    return Compiled(
        spec,
        {**defaults, **runtime.get("parameterValues", {})},
        runtime.get("gcsOutputDirectory") or spec.default_pipeline_root,
        is_job=_JOB in content,
        pods={
            label: json_format.MessageToDict(pod)
            for each in platform.platforms.values()
            for label, pod in each.deployment_spec.executors.items()
        },
    )


def problems(compiled: Compiled) -> Iterator[str]:
    """Yields what a cluster would refuse, each with the task, the field and what to do."""
    tasks = sorted(compiled.tasks)
    undefined = [problem for name in tasks for problem in _definition_problems(compiled, name)]
    if undefined:
        yield from undefined
        return
    yield from _pod_problems(compiled)
    for name in tasks:
        yield from _executor_problems(compiled, name)
        yield from _artifact_problems(compiled, name)
        yield from _parameter_problems(compiled, name)
    if circle := _circle(compiled):
        yield f"{', '.join(circle)}: dependentTasks go round in a circle; none can begin."


def _definition_problems(compiled: Compiled, task: str) -> Iterator[str]:
    reference = compiled.tasks[task].component_ref.name
    if reference not in compiled.spec.components:
        yield f"{task}: componentRef names {reference!r}, which is not among the components."
        return
    label = compiled.spec.components[reference].executor_label
    if label not in (compiled.spec.deployment_spec.fields["executors"].struct_value.fields):
        yield f"{task}: executorLabel names {label!r}, which is not among deploymentSpec.executors."
    for needed in sorted(compiled.needs(task)):
        if needed not in compiled.tasks:
            yield f"{task}: it waits for {needed!r}, which is not a task of this pipeline."


def _pod_problems(compiled: Compiled) -> Iterator[str]:
    labels = {compiled.component(task).executor_label for task in compiled.tasks}
    for label, pod in compiled.pods.items():
        where = f"platforms: deploymentSpec.executors.{label}"
        if label not in labels:
            yield f"{where} describes the pod of an executor that no task has."
        try:
            json_format.ParseDict(pod, kubernetes_executor_config_pb2.KubernetesExecutorConfig())
        except json_format.ParseError as error:
            yield f"{where} is not what Kubeflow reads: {error}"


def _executor_problems(compiled: Compiled, task: str) -> Iterator[str]:
    executor = compiled.executor(task)
    kind = executor.WhichOneof("spec")
    if kind != "container":
        yield (
            f"{task}: its executor is {kind or 'empty'}, not a container. Kubeflow runs containers "
            "alone; give the task a component that runs in one."
        )
        return
    if executor.container.HasField("lifecycle") and not compiled.is_job:
        yield (
            f"{task}: container.lifecycle requires a driver before the cache, which Kubeflow does "
            "not run. Compile for it: --target kubeflow"
        )
    if not executor.container.image:
        yield f"{task}: container.image is empty; set cluster.image and compile again."
    if not [*executor.container.command, *executor.container.args]:
        yield f"{task}: container.command and args are empty."


def _artifact_problems(compiled: Compiled, task: str) -> Iterator[str]:
    given = compiled.tasks[task].inputs.artifacts
    declared = compiled.component(task).input_definitions.artifacts
    for name in sorted(declared.keys() - given.keys()):
        if not declared[name].is_optional:
            yield f"{task}: inputs.artifacts.{name} is declared and not given; wire it."
    for name in sorted(given.keys() - declared.keys()):
        yield f"{task}: inputs.artifacts.{name} is given and not declared; the task cannot read it."
    for name in sorted(given.keys() & declared.keys()):
        source = given[name].task_output_artifact
        outputs = compiled.component(source.producer_task).output_definitions.artifacts
        where = f"{task}: inputs.artifacts.{name}"
        if source.output_artifact_key not in outputs:
            yield (
                f"{where} comes from {source.producer_task}.{source.output_artifact_key}; that "
                f"task makes {', '.join(sorted(outputs)) or 'nothing'}."
            )
            continue
        made = title(outputs[source.output_artifact_key].artifact_type)
        wanted = title(declared[name].artifact_type)
        if made != wanted:
            yield (
                f"{where} is declared as {wanted}, and {source.producer_task} makes {made}; wire "
                "an output of that type."
            )


def _parameter_problems(compiled: Compiled, task: str) -> Iterator[str]:
    given = compiled.tasks[task].inputs.parameters
    declared = compiled.component(task).input_definitions.parameters
    for name in sorted(given.keys() - declared.keys()):
        yield f"{task}: inputs.parameters.{name} is given and not declared."
    for name in sorted(declared):
        where = f"{task}: inputs.parameters.{name}"
        value = compiled.value(task, name) if name in given else None
        if value is None:
            if not declared[name].is_optional:
                yield f"{where} has no value; give the pipeline's parameter a default or a value."
            continue
        types = _TYPES.get(declared[name].parameter_type)
        if types and (not isinstance(value, types) or isinstance(value, bool) != (bool in types)):
            kind = pipeline_spec_pb2.ParameterType.ParameterTypeEnum.Name(
                declared[name].parameter_type
            )
            yield f"{where} is declared as {kind}, and its value is {value!r}."


def _circle(compiled: Compiled) -> list[str]:
    open_tasks = {
        name: {need for need in compiled.needs(name) if need in compiled.tasks}
        for name in compiled.tasks
    }
    while ready := [name for name, needs in open_tasks.items() if not needs & open_tasks.keys()]:
        for name in ready:
            del open_tasks[name]
    return sorted(open_tasks)


def title(artifact_type: pipeline_spec_pb2.ArtifactTypeSchema) -> str:
    """Names an artifact's type, such as ``tfx.Model``."""
    if artifact_type.schema_title:
        return str(artifact_type.schema_title)
    schema = yaml.safe_load(artifact_type.instance_schema or "{}") or {}
    return str(schema.get("title", "an unnamed type"))


def _plain(value: Any) -> Any:
    """Protos hold every number as a float."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
