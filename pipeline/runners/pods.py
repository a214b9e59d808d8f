"""What Kubernetes is to know of each task's pod, as kfp-kubernetes describes it."""

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2 as pb
from kfp.pipeline_spec.pipeline_spec_pb2 import TaskInputsSpec

from pipeline.config.cluster_settings import ResourceSettings


def platform(executors: Mapping[str, ResourceSettings]) -> dict[str, Any] | None:
    """Describes the pods of all tasks.

    Args:
        executors: what each executor's task is given, by the executor's label.

    Returns:
        The second document of a compiled file (``PlatformSpec``), as JSON has it; None if no pod
        is given anything.
    """
    found = {label: json_format.MessageToDict(_pod(given)) for label, given in executors.items()}
    found = {label: pod for label, pod in found.items() if pod}
    return (
        {"platforms": {"kubernetes": {"deploymentSpec": {"executors": found}}}} if found else None
    )


def _pod(given: ResourceSettings) -> pb.KubernetesExecutorConfig:
    """Describes a pod, with names in the fields of old releases and of newer ones, as kfp does."""
    pod = pb.KubernetesExecutorConfig(image_pull_policy=given.pull_policy)
    for toleration in given.tolerations:
        pod.tolerations.add(
            key=toleration.key,
            operator=toleration.operator,
            value=toleration.value,
            effect=toleration.effect,
            toleration_seconds=toleration.seconds,
        )
    if given.node_selector:
        pod.node_selector.labels.update(given.node_selector)
    for volume in given.volumes:
        pod.pvc_mount.add(
            constant=volume.claim,
            pvc_name_parameter=_constant(volume.claim),
            mount_path=volume.path,
        )
    for secret in given.secrets:
        name = {"secret_name": secret.name, "secret_name_parameter": _constant(secret.name)}
        if secret.path:
            pod.secret_as_volume.add(**name, mount_path=secret.path)
        if secret.environment:
            keys = [
                pb.SecretAsEnv.SecretKeyToEnvMap(secret_key=key, env_var=variable)
                for variable, key in secret.environment.items()
            ]
            pod.secret_as_env.add(**name, key_to_env=keys)
    for each in given.pull_secrets:
        pod.image_pull_secret.add(secret_name=each, secret_name_parameter=_constant(each))
    return pod


def _constant(value: str) -> TaskInputsSpec.InputParameterSpec:
    spec = TaskInputsSpec.InputParameterSpec()
    spec.runtime_value.constant.string_value = value
    return spec
