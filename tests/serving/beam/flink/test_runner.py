"""One cluster of a JobManager and two TaskManagers computes what the local runner computes.

In each test a TaskManager is killed in the middle, with the worker of Beam that it has started.
"""

import contextlib
import hashlib
import json
import tempfile
import threading
import time
import urllib.request

import apache_beam as beam
import psutil
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tfx.components.transform import executor as transform
from tfx.types import standard_artifacts

from components.convert.convert import convert
from components.evaluator.component import Evaluator
from components.evaluator.evaluation import read_evaluation
from components.evaluator.settings import EvaluationSettings
from components.schema_gen import contract_schema
from components.synthetic.generate import generate
from serving.beam.beam_args import DEFAULT_BEAM_ARGS, flink_args
from serving.beam.flink.runner import engine
from serving.images.settings import DatasetSettings
from serving.predict.many.job import predict_many
from tests.components import tiny, validated
from tests.components.evaluator.test_component import inputs
from tests.conftest import xray
from tests.serving.beam.flink.needed import skip_without_flink
from tests.serving.predict.many.samples import fill, read
from tests.serving.saved import save
from transform_module import contract
from transform_module.settings import TransformSettings

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(1800)]

FLINK = (*DEFAULT_BEAM_ARGS, *flink_args("local"))


@pytest.fixture(scope="module")
def cluster():
    """The REST address of the cluster on which FLINK computes."""
    skip_without_flink()
    return engine("local", tempfile.gettempdir()).cluster.address


@contextlib.contextmanager
def one_killed(cluster):
    """Kills a TaskManager that works, as soon as a quarter of its job is done."""
    killed, over = [], threading.Event()

    def kill():
        while not killed and not over.wait(0.1):
            with urllib.request.urlopen(f"{cluster}/jobs/overview") as response:
                jobs = json.load(response)["jobs"]
            if any(4 * job["tasks"]["finished"] >= job["tasks"]["total"] for job in running(jobs)):
                killed.extend(working()[:1])
                for process in killed:
                    process.kill()

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert killed


def running(jobs):
    return [job for job in jobs if job["state"] == "RUNNING"]


def working():
    """The TaskManagers that have started a worker of Beam."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "serving.beam.flink.flink_worker" in process.cmdline():
                found.append(process.parent())
    return found


def whole(cluster):
    """Waits until the TaskManager that was killed is there again."""
    while True:
        with urllib.request.urlopen(f"{cluster}/overview") as response:
            if json.load(response)["taskmanagers"] == 2:
                return
        time.sleep(0.1)


@pytest.fixture(autouse=True)
def all_there(cluster):
    whole(cluster)


def sums(folder):
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*.gz"))
    }


def test_convert_writes_the_same_shards(cluster, tmp_path):
    generate(tmp_path / "images", images=60, seed=7)

    def converted(name, beam_args):
        dataset = convert(
            tmp_path / "images",
            tmp_path / name,
            settings=DatasetSettings(),
            seed=7,
            beam_args=beam_args,
        )
        return dataset.fingerprint, dataset.splits, sums(tmp_path / name)

    with one_killed(cluster):
        found = converted("flink", FLINK)
    assert found == converted("here", ())


def test_predict_writes_the_same_table(cluster, tmp_path):
    version = save(tmp_path / "model" / "1")
    images = fill(tmp_path / "images", 24)
    with one_killed(cluster):
        predict_many(version, [images], tmp_path / "flink.jsonl", beam_args=FLINK)
    predict_many(version, [images], tmp_path / "here.jsonl")
    assert read(tmp_path / "flink.jsonl") == read(tmp_path / "here.jsonl")


def schema(folder):
    """The contract's, with shapes, as SchemaGen infers them."""
    artifact = tiny.artifact(standard_artifacts.Schema, folder / "schema")
    made = contract_schema()
    for feature in made.feature:
        if feature.presence.min_fraction == 1:
            feature.shape.dim.add(size=1)
    (folder / "schema" / "schema.pbtxt").write_text(text_format.MessageToString(made))
    return artifact


def records(folder):
    """The examples of all files, sorted: which worker writes which, and how, is chance."""
    files = map(str, folder.rglob("transformed_examples*"))
    read = tf.data.TFRecordDataset(list(files), "GZIP").as_numpy_iterator()
    # A worker's C++ writes the features of one in the order of its hashes.
    examples = map(tf.train.Example.FromString, read)
    return sorted(each.SerializeToString(deterministic=True) for each in examples)


def test_transform_writes_the_same_examples(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["test"])  # TFX parses it, and knows no option of pytest's.
    tiny.write_split(tmp_path / "examples", contract.TRAIN, validated.rows(20, image=xray(1, 1)))
    examples = tiny.examples_artifact(tmp_path / "examples", [contract.TRAIN])

    def transformed(name, beam_args):
        graph, found = (
            tiny.artifact(kind, tmp_path / name / kind.TYPE_NAME)
            for kind in (standard_artifacts.TransformGraph, standard_artifacts.Examples)
        )
        context = transform.Executor.Context(
            beam_pipeline_args=[*beam_args], tmp_dir=str(tmp_path / name / "tmp"), unique_id="1"
        )
        transform.Executor(context).Do(
            {"examples": [examples], "schema": [schema(tmp_path / name)]},
            {"transform_graph": [graph], "transformed_examples": [found]},
            {
                "preprocessing_fn": "transform_module.preprocessing.preprocessing_fn",
                "custom_config": json.dumps(
                    {"settings": TransformSettings().model_dump(mode="json")}
                ),
                "disable_statistics": 1,
            },
        )
        return records(tmp_path / name)

    with one_killed(cluster):
        found = transformed("flink", FLINK)
    assert found == transformed("here", DEFAULT_BEAM_ARGS)
    assert len(found) == 20


def test_the_evaluator_measures_the_same(cluster, tmp_path):
    rows = [tiny.example(int(value > 4), value / 10) for value in range(10)]
    tiny.write_split(tmp_path / "examples", contract.TEST, rows)
    examples = tiny.examples_artifact(tmp_path / "examples", [contract.TEST])
    model = tiny.save_model(tmp_path / "model")

    def evaluated(name, beam_args):
        given = inputs(tmp_path / name, examples, model)
        evaluation = tiny.artifact(standard_artifacts.ModelEvaluation, tmp_path / name / "found")
        Evaluator.test_call(
            **given,
            evaluation=evaluation,
            blessing=tiny.artifact(standard_artifacts.ModelBlessing, tmp_path / name / "blessing"),
            settings=EvaluationSettings().model_dump_json(),
            beam_pipeline=beam.Pipeline(argv=[*beam_args]),
        )
        return read_evaluation(evaluation.uri)

    with one_killed(cluster):
        found = evaluated("flink", FLINK)
    assert found == evaluated("here", DEFAULT_BEAM_ARGS)
