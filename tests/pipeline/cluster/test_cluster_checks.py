import pytest

from pipeline.cluster.cluster_checks import problems
from pipeline.component_ids import COMPONENTS
from pipeline.config.config_file import load
from tests.pipeline import command
from tests.pipeline.cluster_configuration import configured


def test_nothing_is_wrong_with_a_whole_configuration():
    assert problems(configured(), "kubeflow") == []
    assert problems(configured(), "vertex") == []


def test_all_that_is_missing_is_reported_at_once():
    found = problems(load(), "kubeflow")
    assert [each.split(" ")[0] for each in found] == [
        "cluster.image",
        "cluster.root",
        "cluster.examples",
    ]
    assert all("is not set" in each for each in found)


def test_the_components_are_the_pipelines():
    assert set(COMPONENTS) == command.COMPONENTS


def test_a_tuner_has_resources_where_there_is_one():
    given = 'cluster.resources={"Tuner": {"cpu": 4}}'
    assert problems(configured(given, "tuner.enabled=true"), "vertex") == []
    (problem,) = problems(configured(given), "vertex")
    assert "there is no such component" in problem


def test_a_tuner_needs_the_accelerator_that_the_trainer_needs():
    given = 'cluster.resources={"Trainer": {"accelerator": "nvidia.com/gpu"}}'
    overrides = (given, "trainer.strategy=gpu", "tuner.enabled=true")
    (problem,) = problems(configured(*overrides), "kubeflow")
    assert "cluster.resources.Tuner.accelerator gives it none of that kind" in problem


ON_A_VOLUME = (
    "cluster.examples=/data/examples",
    "cluster.push_directory=/data/pushed",
    "cluster.resources={default: {volumes: [{claim: xrays, path: /data}]}}",
)
IN_MINIO = (
    "cluster.root=minio://mlpipeline/v2/artifacts",
    "cluster.examples=minio://mlpipeline/examples",
)


@pytest.mark.parametrize(
    "overrides",
    [
        ON_A_VOLUME,
        (*IN_MINIO, "cluster.store.endpoint=http://minio-service.kubeflow:9000"),
        ("cluster.root=s3://bucket/x", "cluster.store={secret: null}"),
        ("cluster.root=s3://bucket/x", "cluster.push_directory=gs://bucket/pushed"),
    ],
)
def test_places_in_a_store_of_s3_and_on_volumes(overrides):
    assert problems(configured(*overrides), "kubeflow") == []
    assert problems(configured(*overrides), "vertex")


def test_a_volume_of_other_components_or_at_another_path_does_not_hold_the_data():
    for resources in (
        "{Trainer: {volumes: [{claim: xrays, path: /data}]}}",
        "{default: {volumes: [{claim: xrays, path: /dat}]}}",
    ):
        given = configured(*ON_A_VOLUME[:2], f"cluster.resources={resources}")
        assert len(problems(given, "kubeflow")) == 2


def test_minio_has_no_address_of_its_own():
    (problem,) = problems(configured(*IN_MINIO, "cluster.store={}"), "kubeflow")
    assert "cluster.store.endpoint is not set" in problem


def test_google_clouds_services_use_its_own_store():
    given = configured(
        "cluster.root=s3://bucket/x",
        "cluster.store={}",
        "cluster.google_cloud={project: project-1, endpoint: {name: e}}",
    )
    assert any("read and write gs:// alone" in each for each in problems(given, "kubeflow"))


@pytest.mark.parametrize("component", ["default", "Trainer"])
def test_a_pod_is_described_to_kubeflow_alone(component):
    given = configured(f"cluster.resources={{{component}: {{node_selector: {{pool: gpu}}}}}}")
    assert problems(given, "kubeflow") == []
    (problem,) = problems(given, "vertex")
    assert f"cluster.resources.{component}.node_selector is of a pod of Kubernetes" in problem


def test_the_trainers_accelerator_may_be_the_default():
    given = "cluster.resources={default: {accelerator: nvidia.com/gpu}}"
    assert problems(configured(given, "trainer.strategy=gpu"), "kubeflow") == []


GPU = 'cluster.resources={"Trainer": {"accelerator": "%s", "accelerators": 2}}'


@pytest.mark.parametrize(
    ("target", "override", "message"),
    [
        ("kubeflow", "cluster.image=UPPER/x:1", "is not an image name"),
        ("kubeflow", "cluster.image=REGISTRY/x:1", "replace REGISTRY with your own"),
        ("kubeflow", "cluster.examples=gs://BUCKET/x", "replace BUCKET with your own"),
        ("kubeflow", "cluster.image=registry:5000/cxr", "names another image tomorrow"),
        ("vertex", "cluster.image=cxr:latest", "names another image tomorrow"),
        ("kubeflow", "cluster.root=/data/cxr", "a local path, which no task in a cluster finds"),
        ("vertex", "cluster.examples=examples", "a local path"),
        ("vertex", "cluster.push_directory=./pushed", "a local path"),
        ("kubeflow", "cluster.root=az://bucket/x", "read and write gs://, s3://, minio:// there"),
        ("vertex", "cluster.root=s3://bucket/x", "read and write gs:// there, and s3:// not"),
        ("kubeflow", "cluster.root=s3://bucket/x", "cluster.store is not set, and data or push"),
        ("kubeflow", "cluster.push_directory=minio://bucket/x", "--set cluster.store.endpoint="),
        ("kubeflow", "cluster.examples=/data/x", "or mount a volume there: cluster.resources.Imp"),
        ("kubeflow", "cluster.root=gs://B", "names no bucket"),
        ("kubeflow", "name=-x", "with a letter or digit at both ends"),
        ("vertex", "serving_check.engine=tensorflow-serving", "serving_check.engine=embedded"),
        ("vertex", "trainer.strategy=multi_worker", "there is one worker"),
        ("vertex", "trainer.strategy=tpu", "Trainer.accelerator gives it none of that kind"),
        ("kubeflow", "trainer.strategy=multi_gpu", "Trainer.accelerator gives it none of that"),
        ("kubeflow", 'cluster.resources={"Trainr": {"cpu": 1}}', "there is no such component"),
        ("kubeflow", 'cluster.resources={"Trainr": {"cpu": 1}}', "Did you mean Trainer?"),
        ("kubeflow", GPU % "NVIDIA_TESLA_T4", "is not a resource of Kubernetes"),
        ("vertex", GPU % "nvidia.com/gpu", "which Vertex AI does not have. It has NVIDIA"),
        ("vertex", GPU % "TPU_V99", "which Vertex AI does not have"),
    ],
)
def test_what_cannot_work_is_reported_before_it_is_compiled(target, override, message):
    (problem,) = problems(configured(override), target)
    assert message in problem


GOOGLE = 'cluster.google_cloud={"project": "project-1", %s}'


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (['cluster.google_cloud={"project": "P"}'], "project is 'P'; it is written as in"),
        ([GOOGLE % '"region": "Europe"'], "region is 'Europe'; it is written as in us-central1"),
        ([GOOGLE % '"network": "inner"'], "projects/123456/global/networks/default"),
        ([GOOGLE % '"dataflow": {"subnetwork": "inner"}'], "dataflow.subnetwork is 'inner'"),
        (
            [GOOGLE % '"trainer_job": {"accelerator": "TPU_V99"}'],
            "trainer_job.accelerator is 'TPU_V99', which Vertex AI does not have",
        ),
        (
            [GOOGLE % '"endpoint": {"accelerator": "T4"}'],
            "endpoint.accelerator is 'T4', which Vertex AI does not have",
        ),
        ([GOOGLE % '"endpoint": {"min_replicas": 3}'], "max_replicas is 1, fewer than"),
        ([GOOGLE % '"trainer_job": {"workers": 2}'], "workers is 2, and trainer.strategy is auto"),
        (
            [GOOGLE % '"trainer_job": {}', "trainer.strategy=multi_worker"],
            "give cluster.google_cloud.trainer_job.workers=2 or more",
        ),
        (
            [GOOGLE % '"trainer_job": {}', "trainer.strategy=tpu"],
            "cluster.google_cloud.trainer_job.accelerator gives it none of that kind",
        ),
    ],
)
def test_what_google_cloud_would_refuse(overrides, message):
    (problem,) = problems(configured(*overrides), "vertex")
    assert message in problem


@pytest.mark.parametrize(
    ("job", "strategy"),
    [
        ('{"workers": 2}', "multi_worker"),
        ('{"machine": "ct5lp-hightpu-4t", "tpu_topology": "2x2"}', "tpu"),
        ('{"accelerator": "NVIDIA_TESLA_V100", "accelerators": 4}', "multi_gpu"),
    ],
)
def test_a_job_may_have_what_a_task_has_not(job, strategy):
    chosen = configured(GOOGLE % f'"trainer_job": {job}', f"trainer.strategy={strategy}")
    assert problems(chosen, "kubeflow") == problems(chosen, "vertex") == []


@pytest.mark.parametrize(
    ("target", "kind", "strategy"),
    [
        ("kubeflow", "nvidia.com/gpu", "multi_gpu"),
        ("kubeflow", "google.com/tpu", "tpu"),
        ("vertex", "NVIDIA_TESLA_T4", "gpu"),
        ("vertex", "TPU_V3", "tpu"),
    ],
)
def test_accelerators_are_those_of_the_target(target, kind, strategy):
    assert problems(configured(GPU % kind, f"trainer.strategy={strategy}"), target) == []


@pytest.mark.parametrize(
    "image", ["cxr:1", "gcr.io/project/cxr:1.0", "host:5000/a/b@sha256:" + "0" * 64]
)
def test_names_of_images(image):
    assert problems(configured(f"cluster.image={image}"), "kubeflow") == []
