"""Fixtures that several packages share."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType

# Read by TensorFlow when it is first imported: no GPU unless the tests may use it, and no
# informational messages.
if not os.environ.get("CXR_TEST_GPU"):
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import hypothesis
import numpy as np
import pytest

from serving.beam.beam_args import DEFAULT_BEAM_ARGS
from tests.images import encode, grey_pixels
from transform_module import contract
from transform_module.settings import TransformSettings

# A machine that is busy with other work takes any time for an example.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")

SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_configure() -> None:
    """Has every program that tests start be interruptible, and begin without delay."""
    # What is started in the background of a shell ignores interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Without bytecode each program compiles TensorFlow anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


COSTLY = frozenset(
    (
        *("compiled_files", "exported", "orchestrated", "small_run", "trained", "transformed"),
        *("browser", "encrypted", "rest_stub", "rpc_stub", "served", "server", "stub", "version"),
    )
)
"""Fixtures that train or save a model, run a pipeline, or serve."""

STARTING = frozenset(
    (
        "apache_beam",
        "components.convert.convert",
        "subprocess",
        "tests.forks",
        "tests.pipeline.command",
        "tests.processes",
        "tests.serving.running",
        "tests.serving.saved",
    )
)
"""Modules that start processes or Beam, or save models: a test module that uses one is slow."""


def _is_costly(item: pytest.Item) -> bool:
    if COSTLY & set(item.fixturenames):
        return True
    used = vars(item.module).values()
    if hasattr(item.obj, "hypothesis") and any(
        getattr(each, "__name__", "") == "tensorflow" for each in used
    ):
        return True
    return any(
        (each.__name__ if isinstance(each, ModuleType) else getattr(each, "__module__", ""))
        in STARTING
        for each in used
        if isinstance(each, ModuleType | FunctionType)
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what is not fast, and begins with the files that take longest.

    A test that trains, saves a model, runs a pipeline or starts processes is slow, whether it is
    marked so or not, and so is a property of TensorFlow's graphs. In the order of lengths no worker
    is left with a long file at the end.
    """
    for item in items:
        if _is_costly(item):
            item.add_marker("slow")
    lengths: dict[Path, tuple[bool, float, bool]] = {}
    for item in items:
        timeout = item.get_closest_marker("timeout")
        lengths[item.path] = max(
            lengths.get(item.path, (False, 0.0, False)),
            (
                item.get_closest_marker("e2e") is not None,
                timeout.args[0] if timeout else 0.0,
                item.get_closest_marker("slow") is not None,
            ),
        )
    items.sort(key=lambda item: lengths[item.path], reverse=True)


@pytest.fixture(scope="session")
def chest_xray() -> Path:
    """The folder of real chest X-rays, where there is one."""
    folder = SHARED / "chest_xray"
    if not folder.is_dir():
        pytest.skip("the real chest X-rays are not on this machine (../shared/chest_xray)")
    return folder


@pytest.fixture(scope="session")
def gpu() -> str:
    """The device of a GPU, where tests are allowed to use one."""
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        pytest.skip("TensorFlow sees no GPU; on a machine with one set CXR_TEST_GPU=1")
    return "/gpu:0"


@pytest.fixture(scope="session")
def started_store():
    from tests import s3_store

    with s3_store.started() as store:
        yield store


@pytest.fixture
def store(started_store, monkeypatch):
    """A store that speaks S3, which this process is configured for, and may be made faulty."""
    from tests import s3_store
    from transform_module.files import s3

    for name, value in s3_store.environment(started_store).items():
        monkeypatch.setenv(name, value)
    s3._filesystem.cache_clear()
    started_store.spoil = None
    started_store.seen.clear()
    yield started_store
    started_store.spoil = None
    s3._filesystem.cache_clear()


@dataclass(frozen=True)
class Transformed:
    """Transform's output on a few images, as the Trainer gets it."""

    graph: str
    train_files: list[str]
    eval_files: list[str]


def xray(index: int, label: int) -> bytes:
    """An image whose label can be learnt: pneumonia has a bright spot."""
    pixels = grey_pixels(90, 80, seed=index).copy() // 2
    if label:
        pixels[20:50, 30:60] = 255
    return encode(pixels, "png-grey")


def transform_graph(folder: Path, settings: TransformSettings) -> str:
    """Runs Transform on a few images; returns the folder of its graph."""
    import apache_beam as beam
    import tensorflow as tf
    import tensorflow_transform.beam as tft_beam
    from apache_beam.options.pipeline_options import PipelineOptions
    from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

    from transform_module.preprocessing import preprocessing_fn

    spec = {
        contract.IMAGE: tf.io.FixedLenFeature([1], tf.string),
        contract.LABEL: tf.io.FixedLenFeature([1], tf.int64),
        contract.LABEL_NAME: tf.io.FixedLenFeature([1], tf.string),
        contract.PATIENT_ID: tf.io.FixedLenFeature([1], tf.string),
    }
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))

    def prepare(inputs: dict) -> dict:
        return preprocessing_fn(inputs, {"settings": settings.model_dump()})

    options = PipelineOptions([*DEFAULT_BEAM_ARGS])
    with beam.Pipeline(options=options) as pipeline, tft_beam.Context(str(folder / "tmp")):
        analyzed = (pipeline | beam.Create([*_rows(0, 4), _BROKEN]), metadata)
        (_, _), function = analyzed | tft_beam.AnalyzeAndTransformDataset(prepare)
        function | tft_beam.WriteTransformFn(str(folder / "graph"))
    return str(folder / "graph")


def _rows(start: int, stop: int) -> list[dict[str, list]]:
    return [
        {
            contract.IMAGE: [xray(index, label)],
            contract.LABEL: [label],
            contract.LABEL_NAME: [contract.LABELS[label]],
            contract.PATIENT_ID: [f"patient {index // 6} {label}"],
        }
        for index in range(start, stop)
        for label in [int(index % 3 > 0)]
    ]


_BROKEN = {
    contract.IMAGE: [b"broken"],
    contract.LABEL: [0],
    contract.LABEL_NAME: ["NORMAL"],
    contract.PATIENT_ID: ["broken"],
}


@pytest.fixture(scope="session")
def transformed(tmp_path_factory: pytest.TempPathFactory) -> Transformed:
    import tensorflow as tf
    import tensorflow_transform as tft

    folder: Path = tmp_path_factory.mktemp("transformed")
    graph = transform_graph(folder, TransformSettings())
    layer = tft.TFTransformOutput(graph).transform_features_layer()
    files = {}
    for split, split_rows in {"train": [*_rows(0, 48), _BROKEN], "eval": _rows(48, 67)}.items():
        files[split] = str(folder / f"{split}.tfrecord.gz")
        stacked = {
            name: np.array([row[name] for row in split_rows], object).tolist() for name in _BROKEN
        }
        out = layer(
            {
                contract.IMAGE: tf.constant(stacked[contract.IMAGE]),
                contract.LABEL: tf.constant(stacked[contract.LABEL], tf.int64),
                contract.PATIENT_ID: tf.constant(stacked[contract.PATIENT_ID]),
            }
        )
        with tf.io.TFRecordWriter(files[split], "GZIP") as writer:
            for png, label, patient in zip(
                out[contract.IMAGE_XF].numpy(),
                out[contract.LABEL_XF].numpy(),
                out[contract.PATIENT_XF].numpy(),
                strict=True,
            ):
                example = tf.train.Example()
                example.features.feature[contract.PATIENT_XF].bytes_list.value.append(patient)
                example.features.feature[contract.IMAGE_XF].bytes_list.value.append(png)
                example.features.feature[contract.LABEL_XF].int64_list.value.append(label)
                writer.write(example.SerializeToString())
    return Transformed(graph, [files["train"]], [files["eval"]])
