import re

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from serving.server.admission.batching_settings import BatchingSettings
from serving.tensorflow_serving import model_server, protos
from serving.tensorflow_serving.served_model import ServedModel
from serving.tensorflow_serving.settings import DeploymentSettings, Resources, Ssl
from transform_module.errors import UserError

# Those of tensorflow_serving/model_servers/main.cc that a CPU server may need. A server that is
# given any other does not start.
FLAGS = {
    "port", "rest_api_port", "rest_api_num_threads", "rest_api_timeout_in_ms", "enable_batching",
    "allow_version_labels_for_unavailable_models", "batching_parameters_file",
    "model_config_file", "model_config_file_poll_wait_seconds", "file_system_poll_wait_seconds",
    "tensorflow_intra_op_parallelism", "tensorflow_inter_op_parallelism", "ssl_config_file",
    "grpc_max_threads", "enable_model_warmup", "monitoring_config_file", "grpc_channel_arguments",
}  # fmt: skip


def parsed(text):
    return text_format.Parse(text, model_server_config_pb2.ModelServerConfig())


def test_the_models_file_names_the_model_its_versions_and_their_labels(served):
    text = model_server.models_config(served, name="chest_xray", base_path="/models/chest_xray")
    (entry,) = parsed(text).model_config_list.config
    assert (entry.name, entry.base_path) == ("chest_xray", "/models/chest_xray")
    assert entry.model_platform == "tensorflow"
    assert list(entry.model_version_policy.specific.versions) == [7, 10]
    assert dict(entry.version_labels) == {"stable": 7, "canary": 10}


def test_every_labelled_version_is_served_and_no_other():
    only = ServedModel("m", {"stable": 3})
    (entry,) = parsed(
        model_server.models_config(only, name="m", base_path="/models/m")
    ).model_config_list.config
    assert list(entry.model_version_policy.specific.versions) == [3]
    assert dict(entry.version_labels) == {"stable": 3}


def test_without_labels_the_latest_version_is_followed():
    model = ServedModel("m", {})
    text = model_server.models_config(model, name="m", base_path="/models/m")
    (entry,) = parsed(text).model_config_list.config
    assert entry.model_version_policy.latest.num_versions == 1
    assert not entry.version_labels
    assert model_server.ready_path(model) == "/v1/models/m/metadata"


def test_metrics_are_served_for_prometheus():
    config = text_format.Parse(model_server.monitoring_config(), protos.monitoring_config()())
    assert config.prometheus_config.enable
    assert config.prometheus_config.path == "/monitoring/prometheus/metrics"


def test_the_files_hold_the_settings(served):
    batching = BatchingSettings(4, 100, 5, 1, (2, 4))
    files = model_server.files(served, DeploymentSettings(batching=batching))
    assert set(files) == {"models.config", "batching.config", "monitoring.config"}
    assert BatchingSettings.from_text_proto(files["batching.config"]) == batching
    assert parsed(files["models.config"]).model_config_list.config[0].name == served.name


def test_keys_and_certificates_are_whole_in_the_ssl_file(pem):
    text = model_server.ssl_config(Ssl(**pem, client_verify=True))
    config = text_format.Parse(text, protos.ssl_config()())
    assert config.server_key == pem["key"].read_text()
    assert config.server_cert == pem["certificate"].read_text()
    assert config.custom_ca == pem["client_authority"].read_text()
    assert config.client_verify


def test_without_files_the_ssl_file_is_a_template():
    config = text_format.Parse(
        model_server.ssl_config(Ssl(client_verify=True)), protos.ssl_config()()
    )
    for value in (config.server_key, config.server_cert, config.custom_ca):
        assert value.startswith("replace this")


def test_a_certificate_is_not_a_key(pem):
    with pytest.raises(UserError, match=r"certificate is not a PEM file with a private key"):
        model_server.ssl_config(Ssl(key=pem["certificate"], certificate=pem["certificate"]))


def test_a_file_that_is_not_there_is_named(pem, tmp_path):
    with pytest.raises(UserError, match=r"absent cannot be read as a PEM file"):
        model_server.ssl_config(Ssl(key=tmp_path / "absent", certificate=pem["certificate"]))


def test_the_server_is_started_with_flags_that_it_has():
    settings = DeploymentSettings(
        ssl=Ssl(),
        config_poll_seconds=31,
        model_poll_seconds=11,
        batching=BatchingSettings(4, 100, 5, 1, (2, 4)),
        resources=Resources(cpus=3),
    )
    given = dict(
        re.fullmatch(r"--(\w+)=(.+)", flag).groups()
        for flag in model_server.flags(settings, "/s/ssl.config")
    )
    assert set(given) <= FLAGS
    assert given == {
        "port": "8500",
        "rest_api_port": "8501",
        "model_config_file": "/etc/tensorflow_serving/models.config",
        "model_config_file_poll_wait_seconds": "31",
        "file_system_poll_wait_seconds": "11",
        "allow_version_labels_for_unavailable_models": "true",
        "enable_batching": "true",
        "batching_parameters_file": "/etc/tensorflow_serving/batching.config",
        "monitoring_config_file": "/etc/tensorflow_serving/monitoring.config",
        "rest_api_num_threads": "8",
        "grpc_max_threads": "8",
        "grpc_channel_arguments": "grpc.max_connection_age_ms=300000",
        "tensorflow_intra_op_parallelism": "3",
        "tensorflow_inter_op_parallelism": "3",
        "ssl_config_file": "/s/ssl.config",
    }


def test_grpc_is_encrypted_only_when_that_is_set():
    flags = model_server.flags(DeploymentSettings(), "/s/ssl.config")
    assert not [flag for flag in flags if "ssl" in flag]


def test_the_checksum_shows_contents_and_names_apart():
    sums = [{"a": "b"}, {"a": "c"}, {"c": "b"}, {"a": "b", "c": ""}, {}]
    assert len({model_server.checksum(contents) for contents in sums}) == len(sums)
    assert model_server.checksum({"a": "1", "b": "2"}) == model_server.checksum(
        {"b": "2", "a": "1"}
    )
