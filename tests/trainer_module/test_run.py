import base64
import io
import json
import logging
import platform
import shutil
import subprocess
import sys
import uuid
from http.client import HTTPConnection
from importlib import metadata
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving import keras_file
from tests.conftest import xray
from tests.images import FORMATS, encode, grey_pixels, png_of_16_bits
from tests.s3_store import BUCKET
from tests.serving import small_model
from tests.serving.running import running
from tests.serving.tflite.test_export import step
from tests.trainer_module import small
from trainer_module.decision.calibration import Calibration
from trainer_module.decision.triage import Triage
from trainer_module.input import batches as data
from trainer_module.job import Job
from trainer_module.networks import building
from trainer_module.settings.trainer import WORST_SHIFT, TrainerSettings, TriageSettings
from trainer_module.training import backup, history, loop, strategy
from trainer_module.training.kept_folder import KeptFolder
from trainer_module.training.steps import NotFiniteError, Steps
from trainer_module.training_error import DivergedError, TrainingError
from transform_module import contract
from transform_module.contract import IMAGE_SIZE
from transform_module.files import remote, sums
from transform_module.images import image_ops

SETTINGS = small.SETTINGS.model_copy(
    update={"cnn": small.SETTINGS.cnn.model_copy(update={"dense_dropout": 0.3})}
)


def job(folder, settings=SETTINGS):
    return small.job(folder, settings)


def fit(folder, settings=SETTINGS, *, profile=False, views=()):
    keras.utils.set_random_seed(7)
    model, epochs = loop.fit(
        small.job(folder, settings, profile=profile),
        tf.distribute.get_strategy(),
        small.images(),
        [small.images(20, seed=1), *views],
        backup=KeptFolder(folder / "backup"),
        log_dir=folder / "logs",
    )
    return model.get_weights(), epochs


def test_of_several_views_the_worst_figure_counts(tmp_path):
    unseen = small.images(20, seed=1)
    reverse = data.Images(
        unseen.dataset.map(lambda pixels, label: (pixels, 1 - label)),
        *(1 - unseen.labels, unseen.patients, 0, unseen.size),
    )
    settings = SETTINGS.model_copy(update={"select_by": WORST_SHIFT, "epochs": 2})
    _, epochs = fit(tmp_path, settings, views=[reverse])
    for epoch in epochs:
        worst = min(epoch["val_auc"], 1 - epoch["val_auc"])
        assert epoch["worst_val_auc"] == pytest.approx(worst, abs=1e-3)


def test_job_survives_the_custom_config(tmp_path):
    config = json.loads(json.dumps(job(tmp_path).custom_config()))
    assert Job.from_custom_config(config) == job(tmp_path)


def test_a_job_that_says_nothing_of_a_profile_has_none(tmp_path):
    config = job(tmp_path).custom_config()
    del config["profile"]
    assert Job.from_custom_config(config) == job(tmp_path)


@pytest.mark.slow
def test_a_profiled_training_learns_the_same_and_is_profiled_once(tmp_path):
    settings = SETTINGS.model_copy(update={"epochs": 2})
    weights, epochs = fit(tmp_path / "plain", settings)
    profiled_weights, profiled_epochs = fit(tmp_path / "profiled", settings, profile=True)
    assert profiled_epochs == epochs
    for profiled, plain in zip(profiled_weights, weights, strict=True):
        np.testing.assert_array_equal(profiled, plain)
    assert len(list((tmp_path / "profiled" / "logs").glob("plugins/profile/*/*.xplane.pb"))) == 1
    assert not (tmp_path / "plain" / "logs" / "plugins").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "frozen"), [({}, 0), ({"ema_momentum": 0.9, "balance": "sampling"}, 3)]
)
def test_a_killed_training_ends_as_an_unbroken_one(tmp_path, monkeypatch, changes, frozen):
    settings = SETTINGS.model_copy(update=changes)
    monkeypatch.setattr(TrainerSettings, "frozen_epochs", frozen)
    weights, epochs = fit(tmp_path / "unbroken", settings)
    with small.killed_after(2):
        fit(tmp_path / "broken", settings)
    resumed_weights, resumed_epochs = fit(tmp_path / "broken", settings)
    for resumed_figures, figures in zip(resumed_epochs, epochs, strict=True):
        assert resumed_figures == pytest.approx(figures)
    assert history.read(tmp_path / "broken" / "logs" / "history.csv") == resumed_epochs
    for resumed, unbroken in zip(resumed_weights, weights, strict=True):
        np.testing.assert_allclose(resumed, unbroken, atol=1e-6)


def test_the_best_weights_are_restored(tmp_path, monkeypatch):
    merits = iter([0.2, 0.9, 0.1, 0.3])
    evaluate = Steps.evaluate
    weights_of_epochs = []

    def scored(self, batches):
        weights_of_epochs.append(self.model.get_weights())
        return {**evaluate(self, batches), "auc": next(merits)}

    monkeypatch.setattr(Steps, "evaluate", scored)
    weights, _ = fit(tmp_path / "four")
    for restored, best in zip(weights, weights_of_epochs[1], strict=True):
        np.testing.assert_array_equal(restored, best)


@pytest.mark.slow
def test_a_training_whose_machine_is_taken_away_resumes_on_another(
    transformed, tmp_path, monkeypatch, store, caplog
):
    place = f"s3://{BUCKET}/{uuid.uuid4().hex}/checkpoints"
    monkeypatch.setattr(small, "job", lambda _, settings: Job(settings, 7, "data", "code", place))
    with small.killed_after(2):
        small.run(transformed, tmp_path / "one", SETTINGS)
    with caplog.at_level(logging.INFO, "trainer_module"):
        small.run(transformed, tmp_path / "other", SETTINGS)
    assert "resuming after epoch 2" in caplog.text
    assert (tmp_path / "other" / "model" / "saved_model.pb").is_file()
    assert remote.files(place) == []


@pytest.mark.parametrize("stage", ["training", "evaluation"])
def test_a_training_that_diverges_stops_with_a_sentence(tmp_path, monkeypatch, stage):
    def diverges(self, *_, **__):
        raise NotFiniteError(3)

    monkeypatch.setattr(Steps, "train" if stage == "training" else "evaluate", diverges)
    with pytest.raises(DivergedError) as raised:
        fit(tmp_path)
    assert str(raised.value).startswith(
        f"the training diverged: in epoch 1, step 3 of the {stage}, the loss is not a finite number"
        " (learning rate 0.001). Lower trainer.learning_rate,"
    )


def test_a_rate_that_is_far_too_high_ends_in_that_sentence(tmp_path):
    settings = SETTINGS.model_copy(update={"learning_rate": 1e38})
    with pytest.raises(DivergedError, match=r"in epoch \d, step \d+ .*\(learning rate 1e\+38"):
        fit(tmp_path, settings)


def test_fewer_images_than_replicas_are_refused(tmp_path):
    where = SimpleNamespace(num_replicas_in_sync=3)
    with pytest.raises(TrainingError, match="2 training images cannot be shared by 3"):
        loop.fit(
            small.job(tmp_path),
            where,
            small.images(2),
            [small.images(2)],
            backup=KeptFolder(tmp_path / "backup"),
            log_dir=tmp_path / "logs",
        )


def test_workers_that_read_different_images_stop(tmp_path, monkeypatch):
    monkeypatch.setattr(strategy, "facts_of_chief", lambda *_: [[30, 1], [20, 2]])
    with pytest.raises(TrainingError, match=r"this one 32 \+ 20, the chief 30 \+ 20\. Give each"):
        fit(tmp_path)


def test_each_served_batch_size_has_a_warm_up_request_that_the_model_predicts(exported):
    loaded = tf.saved_model.load(str(exported / "model"))
    sizes = []
    for record in tf.data.TFRecordDataset(str(exported / "model" / contract.WARMUP_REQUESTS)):
        request = prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request
        result = loaded.signatures[request.model_spec.signature_name](
            **{name: tf.constant(tf.make_ndarray(t)) for name, t in request.inputs.items()}
        )
        assert result[contract.VALID].numpy().all()
        sizes.append(len(result[contract.VALID]))
    assert tuple(sizes) == contract.SERVING_BATCH_SIZES


@pytest.fixture(scope="module")
def exported(transformed, tmp_path_factory):
    """A folder with the model that run_fn trained and exported."""
    folder = tmp_path_factory.mktemp("run_fn")
    small.run(transformed, folder, SETTINGS)
    return folder


def test_the_model_becomes_a_file_that_plain_keras_reads(exported, tmp_path):
    record = keras_file.export(exported / "model", tmp_path / "model.keras", step=step)
    assert record["largest_difference"] <= 1e-6


def test_every_weight_is_written_once(exported):
    reader = tf.train.load_checkpoint(str(exported / "model" / "variables" / "variables"))
    written = [
        (name, reader.get_tensor(name))
        for name, shape in reader.get_variable_to_shape_map().items()
        if len(shape) > 1
    ]
    for index, (name, value) in enumerate(written):
        same = [other for other, found in written[index + 1 :] if np.array_equal(value, found)]
        assert not same, f"{name} and {same}"


@pytest.mark.parametrize("signature", [contract.SERVING_DEFAULT, contract.EXPLAIN])
@pytest.mark.parametrize("images", [[], [b""], [b"", b"text", b"\xff\xd8\xff"]])
def test_a_batch_without_a_single_image_is_predicted(exported, signature, images):
    loaded = tf.saved_model.load(str(exported / "model"))
    for _ in range(2):
        # A graph is fused when it runs for the second time.
        out = loaded.signatures[signature](image_bytes=tf.constant(images, tf.string))
    assert out[contract.PROBABILITY].numpy().tolist() == [0.5] * len(images)
    assert {len(column) for column in out.values()} == {len(images)}


def no_rows(signature):
    """The inputs of a batch of none."""
    return {
        name: np.empty([0, *spec.shape[1:]], spec.dtype.as_numpy_dtype)
        for name, spec in signature.structured_input_signature[1].items()
    }


def test_every_signature_takes_a_batch_of_no_rows(exported):
    loaded = tf.saved_model.load(str(exported / "model"))
    assert contract.SERVE_PIXELS in loaded.signatures
    for name, signature in loaded.signatures.items():
        inputs = {key: tf.constant(array) for key, array in no_rows(signature).items()}
        for _ in range(2):
            out = signature(**inputs)
        shapes = {key: each.shape.as_list() for key, each in signature.structured_outputs.items()}
        found = {key: [len(each), *each.shape[1:]] for key, each in out.items()}
        assert found == {key: [0, *shape[1:]] for key, shape in shapes.items()}, name


@pytest.mark.e2e
def test_the_server_takes_a_batch_of_no_rows_for_every_signature(exported, tmp_path):
    signatures = tf.saved_model.load(str(exported / "model")).signatures
    folder = shutil.copytree(exported / "model", tmp_path / small_model.MODEL / "1").parent
    with running(folder, "--allow-unverified") as server, small_model.stub(server.grpc) as stub:
        for name, signature in signatures.items():
            outputs = sorted(signature.structured_outputs)
            http = HTTPConnection(*small_model.place(server.rest), timeout=60)
            http.request("POST", small_model.PREDICT, f'{{"signature_name":"{name}","inputs":[]}}')
            found = json.loads(http.getresponse().read())
            http.close()
            expected = [] if len(outputs) == 1 else {each: [] for each in outputs}
            assert found == {"outputs": expected}, name
            request = predict_pb2.PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = small_model.MODEL, name
            for key, array in no_rows(signature).items():
                dtype = tf.string if array.dtype == object else None
                request.inputs[key].CopyFrom(tf.make_tensor_proto(array, dtype, array.shape))
            result = stub.Predict(request, timeout=60).outputs
            assert {
                key: len(tf.make_ndarray(each)) for key, each in result.items()
            } == dict.fromkeys(outputs, 0), name


def test_only_the_chief_writes_the_model(transformed, tmp_path, monkeypatch):
    monkeypatch.setattr(strategy, "is_chief", lambda _: False)
    monkeypatch.setattr(backup.Backup, "restore_best", lambda _: None)
    small.run(transformed, tmp_path, SETTINGS.model_copy(update={"epochs": 1}))
    # The folder alone, by which TFX sees that a worker ended well.
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert not list((tmp_path / "model").iterdir())


def test_run_fn_leaves_model_record_history_and_logs(exported):
    record = json.loads((exported / "model" / contract.MODEL_RECORD).read_text())
    assert record["labels"] == ["NORMAL", "PNEUMONIA"]
    assert 0 < record["threshold"] < 1
    assert record["warnings"] == []
    assert record["operating_point"]["eval_sensitivity"] >= 0.95
    assert record["calibration"]["slope"] > 0
    assert record["domain"]["threshold"] > 0
    assert record["domain"]["false_alarms"] == 0.05
    assert record["domain"]["eval_false_alarms"] <= 0.05
    # Four patients of each class: nothing is decided, and the record says why.
    notes = record["triage"].pop("notes")
    assert [note.split(":")[0] for note in notes] == [
        "triage never says PNEUMONIA",
        "triage never says NORMAL",
    ]
    assert record["triage"] == {
        "normal_up_to": 1.0,
        "pneumonia_from": 0.0,
        "missed_pneumonia": 0.02,
        "false_alarms": 0.05,
    }
    assert record["dataset_fingerprint"] == "data"
    assert record["training"]["class_counts"] == [16, 32]
    assert record["training"]["dropped_pictures"] == 1
    assert record["versions"] == {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "tfx": metadata.version("tfx"),
    }
    assert (exported / "model" / contract.TRAINING_STATISTICS).is_file()
    scores = json.loads((exported / "model" / contract.REFERENCE_SCORES).read_text())
    number_of_scores = sum(len(scores[name]["logits"]) for name in contract.LABELS)
    assert number_of_scores == record["training"]["eval_pictures"]
    recorded = sums.from_json((exported / sums.SUMS).read_bytes())
    assert recorded == sums.sums(exported / "model")
    assert contract.TRAINING_STATISTICS in recorded
    assert len(history.read(exported / "run" / "history.csv")) == record["training"]["epochs"]
    assert list((exported / "run").glob("events.out.tfevents*"))
    assert not any((exported / "backups").iterdir())


SERVE = """
import sys, json, base64, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
images = [base64.b64decode(line) for line in sys.stdin.read().split()]
def example(image):
    feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[image]))
    features = tf.train.Features(feature={"image": feature})
    return tf.train.Example(features=features).SerializeToString()
served = model.signatures["serving_default"](image_bytes=tf.constant(images))
examples = tf.constant([example(image) for image in images])
parsed = model.signatures["serve_examples"](examples=examples)
pixels = model.signatures["transform_features"](examples=examples)["image_xf"]
assert pixels.dtype == tf.float32 and pixels.shape[1:] == (160, 160, 1)
explained = model.signatures["explain"](image_bytes=tf.constant(images))
heat = explained["heatmap"]
assert heat.dtype == tf.float32 and heat.shape[1:] == (160, 160)
assert heat.numpy().min() >= 0 and heat.numpy().max() <= 1
evaluated = model.signatures["serve_pixels"](image_xf=pixels)["probability"].numpy()
valid = served["valid"].numpy()
assert abs(evaluated - served["probability"].numpy())[valid].max() < 1e-6
print(json.dumps([
    [part[key].numpy().tolist() for key in ("probability", "valid", "in_domain", "domain_distance")]
    + [[text.decode() for text in part[key].numpy()] for key in ("label", "triage")]
    for part in (served, parsed)
] + [
    pixels.numpy().sum(axis=(1, 2, 3)).tolist(),
    explained["probability"].numpy().tolist(),
    heat.numpy().max(axis=(1, 2)).tolist(),
]))
"""


@pytest.mark.slow
def test_training_and_serving_agree_on_every_format(transformed, tmp_path, monkeypatch):
    """A fresh process serves what the trained model says of the pixels that training reads."""
    built = []
    build = building.build
    monkeypatch.setattr(
        building, "build", lambda *a, **k: built.append(build(*a, **k)) or built[-1]
    )
    rates = TriageSettings(missed_pneumonia=0.3, false_alarms=0.3)
    small.run(transformed, tmp_path, SETTINGS.model_copy(update={"triage": rates}))
    images = [encode(grey_pixels(seed=index), name) for index, name in enumerate(FORMATS)]
    images += [xray(1, 1), b"broken", xray(3, 0)]
    images += [turned_jpeg(), png_of_16_bits(grey_pixels().astype(np.uint16) << 4)]
    images += [encode(np.full((180, 200), 90, np.uint8), "png-grey")]
    pixels, valid = trained_pixels(images, tmp_path / "examples.gz")
    record = json.loads((tmp_path / "model" / contract.MODEL_RECORD).read_text())
    calibrated = Calibration(**record["calibration"])
    probabilities = calibrated(built[-1](pixels)[:, 0]).numpy()

    process = subprocess.run(
        [sys.executable, "-c", SERVE, str(tmp_path / "model")],
        input="\n".join(base64.b64encode(image).decode() for image in images),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-3000:]
    served, parsed, sums, explained, hottest = json.loads(process.stdout.splitlines()[-1])

    assert served == parsed
    assert served[1] == valid
    assert valid.count(False) == 1
    decoded = np.array(served[0])[valid]
    np.testing.assert_allclose(decoded, probabilities, atol=1e-5)
    np.testing.assert_allclose(np.array(sums)[valid], pixels.sum(axis=(1, 2, 3)), rtol=1e-6)
    labels = [
        contract.LABELS[int(probability >= record["threshold"])] for probability in probabilities
    ]
    labels.insert(valid.index(False), contract.INVALID)
    assert served[4] == labels
    sorter = Triage(record["triage"]["normal_up_to"], record["triage"]["pneumonia_from"])
    triaged = sorter(tf.constant(served[0]), tf.constant(served[2])).numpy()
    assert served[5] == [each.decode() for each in triaged]
    outside = np.array(served[5])[~np.array(served[2])]
    assert set(outside.tolist()) == {contract.REVIEW}
    assert 0 < record["triage"]["pneumonia_from"] < 1
    assert 0 < record["triage"]["normal_up_to"] < 1
    message = [
        is_valid and distance <= record["domain"]["threshold"]
        for is_valid, distance in zip(valid, served[3], strict=True)
    ]
    # The last one is blank.
    assert served[2] == [*message[:-1], False]
    assert served[1][-1]
    assert not served[2][valid.index(False)]
    assert np.isfinite(served[3]).all()
    assert served[0][valid.index(False)] == 0.5
    np.testing.assert_allclose(explained, served[0], atol=1e-5)
    assert hottest[valid.index(False)] == 0
    assert max(hottest) == pytest.approx(1)


def turned_jpeg():
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(grey_pixels(seed=9)).save(file, "JPEG", exif=exif)
    return file.getvalue()


def trained_pixels(images, file):
    """What training reads of images: the pixels of the valid ones, and which these are."""
    pngs = image_ops.images_to_png(tf.constant(images)).numpy()
    with tf.io.TFRecordWriter(str(file), "GZIP") as writer:
        for png in pngs:
            example = tf.train.Example()
            example.features.feature[contract.IMAGE_XF].bytes_list.value.append(png)
            example.features.feature[contract.LABEL_XF].int64_list.value.append(0)
            example.features.feature[contract.PATIENT_XF].bytes_list.value.append(b"")
            writer.write(example.SerializeToString())
    batches = data.evaluation_batches(data.read([str(file)], IMAGE_SIZE), batch_size=1)
    pixels = np.concatenate([pixels for pixels, _, _ in batches.as_numpy_iterator()])
    return pixels, [png != b"" for png in pngs]
