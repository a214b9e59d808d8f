from importlib.metadata import version
from pathlib import Path

import pytest

from serving.tensorflow_serving import settings
from serving.tensorflow_serving.settings import DeploymentSettings, Resources, Ssl
from transform_module.errors import UserError


def test_the_server_is_the_release_whose_protos_are_installed():
    assert version("tensorflow-serving-api") == settings.VERSION
    assert settings.VERSION in DeploymentSettings().image


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ssl(key=Path("key")), r"^key, certificate: give both"),
        (lambda: Ssl(certificate=Path("certificate")), r"^key, certificate: give both"),
        (lambda: Ssl(Path("k"), Path("c"), client_verify=True), r"^client_verify: needs client_au"),
        (lambda: Resources(cpus_requested=5), r"^cpus_requested: .* between 1 and cpus, 4, is 5"),
        (lambda: Resources(memory_requested_mebibytes=0), r"^memory_requested_mebibytes: .* is 0"),
        (lambda: DeploymentSettings(minimum_replicas=0), r"^minimum_replicas: .* is 0"),
        (lambda: DeploymentSettings(user_id=0), r"^user_id: must be at least 1, is 0"),
        (lambda: DeploymentSettings(maximum_replicas=1), r"^maximum_replicas: .* 2, is 1"),
        (lambda: DeploymentSettings(connection_seconds=0), r"^connection_seconds: .* is 0"),
        (lambda: DeploymentSettings(image_digest="sha256:1"), r"^image_digest: .* is sha256:1"),
        (lambda: DeploymentSettings(image="tensorflow/serving"), r"^image: must have a tag"),
        (lambda: DeploymentSettings(image="host:5000/serving"), r"^image: must have a tag"),
        (lambda: DeploymentSettings(image="serving:1@sha256:1"), r"^image: .* is image_digest"),
        (lambda: DeploymentSettings(claim="My Claim"), r"^claim: must be a name in Kubernetes"),
        (lambda: DeploymentSettings(client_namespaces=("",)), r"^client_namespaces: must be"),
        (lambda: DeploymentSettings(monitoring_namespaces=("a_b",)), r"^monitoring_names.* a_b"),
        (lambda: DeploymentSettings(stable=1, canary_traffic_percent=101), r"to 100, is 101"),
        (lambda: DeploymentSettings(canary_traffic_percent=10), r"^canary_traffic.* needs stable"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()
