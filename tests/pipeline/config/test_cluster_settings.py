import pytest

from pipeline.config.config_file import load
from transform_module.errors import UserError


def resources(text):
    return load(None, [f"cluster.resources={text}"]).cluster


def test_a_component_is_given_its_own_and_else_the_default():
    cluster = resources(
        "{default: {cpu: 2, retries: 3, node_selector: {pool: cpu}},"
        " Trainer: {memory: 32, node_selector: {pool: gpu}, retries: 0}}"
    )
    trainer, pusher = cluster.given("Trainer"), cluster.given("Pusher")
    assert (trainer.cpu, trainer.memory, trainer.retries) == (2, 32, 0)
    assert trainer.node_selector == {"pool": "gpu"}
    assert (pusher.cpu, pusher.memory, pusher.retries) == (2, None, 3)


def test_without_settings_nothing_is_given():
    given = load().cluster.given("Trainer")
    assert not given.model_fields_set
    assert given.retries == 0


def test_what_reads_data_and_push_folder_is_given_what_reaches_the_store():
    cluster = load(
        None,
        [
            "cluster.store.endpoint=http://minio-service.kubeflow:9000",
            "cluster.resources={default: {environment: {AWS_REGION: here}}}",
        ],
    ).cluster
    for name in ("ImportExampleGen", "Report", "Baseline", "Pusher"):
        given = cluster.given(name)
        assert given.environment == {
            "AWS_ENDPOINT_URL": "http://minio-service.kubeflow:9000",
            "AWS_REGION": "here",
        }
        (secret,) = given.secrets
        assert secret.name == "mlpipeline-minio-artifact"
        assert secret.environment == {
            "AWS_ACCESS_KEY_ID": "accesskey",
            "AWS_SECRET_ACCESS_KEY": "secretkey",
        }
    assert cluster.given("Trainer").environment == {"AWS_REGION": "here"}
    assert cluster.given("Trainer").secrets == ()


@pytest.mark.parametrize(
    ("pod", "message"),
    [
        ("{secrets: [{name: s}]}", "the secret s has neither a path nor an environment"),
        ("{volumes: [{claim: c, path: data}]}", "path"),
        ("{volumes: [{path: /data}]}", "claim: this key is missing"),
        ("{tolerations: [{effect: NoScheduling}]}", "Did you mean NoSchedule?"),
        ("{pull_policy: always}", "Did you mean Always?"),
    ],
)
def test_a_mistake_is_reported_with_its_key(pod, message):
    with pytest.raises(UserError, match=r"cluster\.resources\.Trainer") as raised:
        resources(f"{{Trainer: {pod}}}")
    assert message in str(raised.value)
