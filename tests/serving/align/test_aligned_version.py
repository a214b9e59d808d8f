import functools
import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from serving import keras_file
from serving.align import aligned_version, job
from serving.align.alignment import Alignment
from serving.align.prior_shift import logit, sigmoid
from serving.evaluate.evaluation_findings import unshown
from serving.model import Model
from serving.versions import pushed
from serving.versions.push import push
from tests.images import encode
from tests.pipeline.cli.commands.test_align_command import FOUND
from trainer_module.decision.calibration import Calibration
from trainer_module.decision.triage import Triage
from trainer_module.export import saved_model
from trainer_module.models import compact
from transform_module import contract
from transform_module.errors import UserError
from transform_module.images.image_ops import images_to_png, model_inputs

pytestmark = pytest.mark.slow

RAMP = np.linspace(0, 100, 60 * 80).reshape(60, 80).astype(np.uint8)
IMAGES = [
    encode(RAMP, "png-grey"),
    encode(RAMP + 60, "png-grey"),
    encode(RAMP[::-1] + 150, "png-grey"),
    b"broken",
]


class _Transform(tf.Module):
    """What the graph of Transform does by default, without a run of it."""

    def __call__(self, features):
        return {contract.IMAGE_XF: images_to_png(features[contract.IMAGE][:, 0])}


@pytest.fixture(scope="module")
def version(tmp_path_factory):
    """A pushed version of a small network, whose threshold lies between its probabilities."""
    folder = tmp_path_factory.mktemp("aligned")
    network = compact.build(compact.Settings(filters=(4, 4)), size=160, synchronized=False)
    generator = np.random.default_rng(0)
    network.set_weights(
        [each + generator.normal(0, 0.3, each.shape) for each in network.get_weights()]
    )

    def export(place, calibration, threshold):
        saved_model.export(
            network,
            SimpleNamespace(transform_features_layer=_Transform),
            place,
            calibration=calibration,
            domain=SimpleNamespace(
                distance=lambda pixels: tf.reduce_mean(pixels, axis=(1, 2, 3)), threshold=0.9
            ),
            threshold=threshold,
            triage=Triage(normal_up_to=threshold - 0.01, pneumonia_from=threshold + 0.01),
            record={
                "settings": {"calibration": "platt", "operating_point": {"target": "youden"}},
                "calibration": {"slope": calibration.slope, "shift": calibration.shift},
                "triage": {"normal_up_to": threshold - 0.01, "pneumonia_from": threshold + 0.01},
            },
        )

    pixels, _ = model_inputs(images_to_png(tf.constant(IMAGES[:3])), 160)
    plain = sorted(logit(network(pixels, training=False).numpy()[:, 0].astype(np.float64)))
    # Spread around the second, which is 0.5 then.
    slope = float(2 / min(plain[1] - plain[0], plain[2] - plain[1]))
    export(folder / "model", Calibration(slope, float(-slope * plain[1])), 0.6)
    scored = {"logits": [-1.0, 2.0], "patients": [0, 1], "out_of_domain": 0, "domain_patients": 2}
    for name, content in (
        (contract.REFERENCE_SCORES, dict.fromkeys(contract.LABELS, scored)),
        (contract.TRAINING_STATISTICS, {"probability": {"edges": [0.2, 0.6], "mean": 0.5}}),
    ):
        (folder / "model" / name).write_text(json.dumps(content))
    made = push(folder / "model", folder / "chest_xray", {"configuration": {}, "recipe": "r"})
    return made.path


@pytest.fixture(scope="module")
def aligned(version, tmp_path_factory):
    """The version that is published for a place of prevalence 0.2 instead of 0.74."""
    place = tmp_path_factory.mktemp("place")
    for index, image in enumerate(IMAGES):
        (place / f"{index}.png").write_bytes(image)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(job, "align", lambda reference, place: FOUND)
        return job.align_model(version.parent, place, push=True, step=unshown)


loaded = functools.cache(Model)


def outputs(path, name, **inputs):
    return {key: each.numpy() for key, each in loaded(path).signature(name)(**inputs).items()}


def test_probabilities_are_shifted_and_nothing_else(version, aligned):
    inputs = {contract.IMAGE_BYTES: tf.constant(IMAGES)}
    before = outputs(version, contract.SERVING_DEFAULT, **inputs)
    after = outputs(aligned.published.path, contract.SERVING_DEFAULT, **inputs)
    former = before.pop(contract.PROBABILITY)
    assert set(before[contract.PREDICTED_LABEL]) == {b"NORMAL", b"PNEUMONIA", b"INVALID"}
    expected = sigmoid(logit(former[:3].astype(np.float64)) + FOUND.shift)
    found = after.pop(contract.PROBABILITY)
    assert found[:3] == pytest.approx(expected, abs=1e-5)
    assert found[3] == 0.5
    for name, values in before.items():
        assert values.tolist() == after[name].tolist(), name


def test_every_signature_follows(version, aligned):
    path = aligned.published.path
    assert set(loaded(path).loaded.signatures) == set(loaded(version).loaded.signatures)
    served = outputs(path, contract.SERVING_DEFAULT, image_bytes=tf.constant(IMAGES))
    probability = served[contract.PROBABILITY]
    explained = outputs(path, contract.EXPLAIN, image_bytes=tf.constant(IMAGES))
    assert explained[contract.PROBABILITY] == pytest.approx(probability, abs=1e-6)
    pixels = loaded(path).pixels(IMAGES[:3]).astype(np.float32) / 255
    of_pixels = outputs(path, contract.SERVE_PIXELS, image_xf=tf.constant(pixels))
    assert of_pixels[contract.PROBABILITY] == pytest.approx(probability[:3], abs=1e-5)


def test_the_graph_is_the_same_and_the_version_whole(version, aligned):
    path = aligned.published.path
    assert pushed.verify(path) == []
    before, after = pushed.sums(version), pushed.sums(path)
    changed = {name for name in before if after.get(name) != before[name]}
    assert changed == {
        contract.ARCHITECTURE,
        contract.MODEL_RECORD,
        contract.REFERENCE_SCORES,
        contract.TRAINING_STATISTICS,
        "fingerprint.pb",
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
    }
    assert set(after) == set(before) - {"fingerprint.pb"}


def test_the_record_says_what_was_done(version, aligned):
    record = loaded(aligned.published.path).record
    former = loaded(version).record
    assert record["alignment"]["from_version"] == version.name
    assert record["alignment"]["prevalence"]["after"] == 0.2
    assert record["threshold"] == pytest.approx(
        aligned_version.moved(former["threshold"], FOUND.shift)
    )
    assert record["triage"]["normal_up_to"] < former["triage"]["normal_up_to"]
    assert record["calibration"]["shift"] == former["calibration"]["shift"] + FOUND.shift
    manifest = aligned.published.manifest
    assert manifest["alignment"] == record["alignment"]
    assert manifest["baseline_version"] == version.name
    # A model that was rolled back, or trained anew, is known by its recipe.
    assert "recipe" not in manifest


def test_the_file_of_keras_follows(aligned, tmp_path):
    made = keras_file.export(aligned.published.path, tmp_path / "x.keras", step=unshown)
    assert made["largest_difference"] < 1e-5


def test_a_threshold_by_costs_stays_a_probability(version, tmp_path):
    priced = tmp_path / "priced"
    shutil.copytree(version, priced)
    record = json.loads((priced / contract.MODEL_RECORD).read_text())
    record["settings"]["operating_point"]["target"] = "cost"
    (priced / contract.MODEL_RECORD).write_text(json.dumps(record))
    # Beyond what the network, whose weights are random, says of any image.
    aligned_version.write(priced, tmp_path / "new", -500.0, {})
    model = Model(tmp_path / "new")
    assert model.record["threshold"] == record["threshold"]
    found = model.predict(IMAGES[:3])
    assert [each.label == "PNEUMONIA" for each in found] == [
        each.probability >= record["threshold"] for each in found
    ]
    assert sum(each.label == "PNEUMONIA" for each in found) < sum(
        each.label == "PNEUMONIA" for each in loaded(version).predict(IMAGES[:3])
    )


def test_a_version_that_is_not_the_newest_is_not_aligned(version, aligned, tmp_path, monkeypatch):
    (tmp_path / "1.png").write_bytes(IMAGES[0])
    monkeypatch.setattr(job, "align", lambda reference, place: FOUND)
    # What is served already is not published again.
    again = job.align_model(version, tmp_path, push=True, step=unshown)
    assert again.published.version == aligned.published.version
    other = Alignment(**{**vars(FOUND), "prevalence": 0.3})
    monkeypatch.setattr(job, "align", lambda reference, place: other)
    with pytest.raises(UserError, match="not pushed: it was compared with version"):
        job.align_model(version, tmp_path, push=True, step=unshown)


def test_nothing_is_written_without_push_or_need(version, tmp_path, monkeypatch):
    versions = pushed.versions(version.parent.parent, "chest_xray")
    (tmp_path / "1.png").write_bytes(IMAGES[0])
    same = Alignment(**{**vars(FOUND), "interval": (0.1, 0.8)})
    for push_it, found in ((False, FOUND), (True, same)):
        monkeypatch.setattr(job, "align", lambda reference, place, found=found: found)
        made = job.align_model(version, tmp_path, push=push_it, step=unshown)
        assert made.published is None
    assert pushed.versions(version.parent.parent, "chest_xray") == versions
