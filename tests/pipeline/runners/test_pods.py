"""Pods, read back with the definitions of kfp-kubernetes."""

import pytest
import yaml
from google.protobuf import json_format
from kfp import dsl, kubernetes
from kfp.kubernetes.kubernetes_executor_config_pb2 import KubernetesExecutorConfig
from kfp.pipeline_spec.pipeline_spec_pb2 import PlatformSpec

from pipeline.config.config_file import load
from pipeline.runners.pods import platform

TRAINER = """
tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule, seconds: 60}]
node_selector: {cloud.google.com/gke-accelerator: nvidia-l4}
volumes: [{claim: xrays, path: /data}]
secrets:
  - {name: store, environment: {AWS_ACCESS_KEY_ID: accesskey, AWS_SECRET_ACCESS_KEY: secretkey}}
  - {name: ca, path: /etc/ca}
pull_secrets: [registry]
pull_policy: IfNotPresent
"""


def described(text):
    settings = load(None, [f"cluster.resources.Trainer={yaml.safe_load(text)}"])
    made = platform({"Trainer_executor": settings.cluster.given("Trainer")})
    executors = (
        json_format.ParseDict(made, PlatformSpec())
        .platforms["kubernetes"]
        .deployment_spec.executors
    )
    (label,) = executors
    assert label == "Trainer_executor"
    pod = json_format.MessageToDict(executors[label])
    return json_format.ParseDict(pod, KubernetesExecutorConfig())


@dsl.container_component
def train():
    return dsl.ContainerSpec(image="image:1", command=["train"])


@dsl.pipeline
def by_kfp():
    task = train()
    kubernetes.add_toleration(
        task, "nvidia.com/gpu", operator="Exists", effect="NoSchedule", toleration_seconds=60
    )
    kubernetes.add_node_selector(task, "cloud.google.com/gke-accelerator", "nvidia-l4")
    kubernetes.mount_pvc(task, "xrays", "/data")
    keys = {"accesskey": "AWS_ACCESS_KEY_ID", "secretkey": "AWS_SECRET_ACCESS_KEY"}
    kubernetes.use_secret_as_env(task, "store", keys)
    kubernetes.use_secret_as_volume(task, "ca", "/etc/ca")
    kubernetes.set_image_pull_secrets(task, ["registry"])
    kubernetes.set_image_pull_policy(task, "IfNotPresent")


def test_a_pod_is_described_as_kfp_kubernetes_does():
    spec = by_kfp.platform_spec.platforms["kubernetes"].deployment_spec
    (expected,) = spec.executors.values()
    pod = json_format.ParseDict(json_format.MessageToDict(expected), KubernetesExecutorConfig())
    for each in (*pod.secret_as_env, *pod.secret_as_volume):
        each.ClearField("optional")  # kfp writes the default, which 2.0 does not know
    assert described(TRAINER) == pod


@pytest.mark.parametrize("text", ["{}", "{cpu: 8, memory: 32, retries: 2}"])
def test_a_task_without_wishes_for_its_pod_is_not_described(text):
    settings = load(None, [f"cluster.resources.Trainer={yaml.safe_load(text)}"])
    assert platform({"Trainer_executor": settings.cluster.given("Trainer")}) is None
