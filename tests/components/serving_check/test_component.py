import csv
import json
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from components.artifacts import example_counts, model_sums
from components.serving_check import component
from components.serving_check import trial as serving_check_trial
from components.serving_check.settings import ServingCheckSettings
from components.serving_check.trial import Question, Trial, try_serving
from serving.client import DeadlinePassed, Refused, Unavailable
from serving.model import Model
from serving.versions.signature import VERIFY_KEY
from tests.components import predicted, tiny
from tests.conftest import xray
from tests.serving.versions import signed
from tests.trainer_module import small
from transform_module import contract
from transform_module.errors import UserError
from transform_module.files.sums import record, sums

IMAGES = [xray(index, index % 2) for index in range(40)] + [b"broken"]


@pytest.fixture(scope="module")
def model(transformed, tmp_path_factory):
    return small.run(transformed, tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="module")
def questions(model):
    return [
        Question(
            content,
            predicted.image(
                str(index),
                prediction.probability,
                valid=prediction.valid,
                domain_distance=prediction.domain_distance,
            ),
        )
        for index, (content, prediction) in enumerate(
            zip(IMAGES, Model(model).predict(IMAGES), strict=True)
        )
    ]


@pytest.fixture(scope="module")
def quarantine(tmp_path_factory):
    """A list of quarantined files, with one that is gone and one that is there."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "text.jpeg").write_bytes(b"text")
    with (folder / "quarantine.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerows(
            [
                ("path", "reason", "bytes", "sha256"),
                ("text.jpeg", "text file", 4, ""),
                ("gone.jpeg", "damaged", 99, ""),
            ]
        )
    return folder / "quarantine.csv"


def attempt(model, questions, quarantine, **settings) -> Trial:
    return try_serving(
        model,
        sums(model),
        "chest_xray",
        questions,
        ServingCheckSettings(**settings),
        images=quarantine.parent,
        quarantine=quarantine,
    )


def saved_with(model, out, change=None, *, signatures=(contract.SERVING_DEFAULT,), weight=None):
    """Saves a model anew, with other outputs, signatures or weights."""
    loaded = tf.saved_model.load(str(model))
    if weight is not None:
        for variable in loaded.signatures[contract.SERVING_DEFAULT].captured_inputs:
            if variable.dtype == tf.resource:
                for each in _variables(loaded):
                    each.assign(tf.fill(each.shape, tf.cast(weight, each.dtype)))
                break

    class Changed(tf.Module):
        def __init__(self):
            super().__init__()
            self.loaded = loaded

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=contract.IMAGE_BYTES)])
        def serve(self, image_bytes):
            prediction = dict(
                self.loaded.signatures[contract.SERVING_DEFAULT](image_bytes=image_bytes)
            )
            return change(prediction) if change else prediction

    module = Changed()
    tf.saved_model.save(module, str(out), signatures=dict.fromkeys(signatures, module.serve))
    shutil.copytree(model / "assets.extra", out / "assets.extra")
    return out


def _variables(loaded):
    seen = {}
    for signature in loaded.signatures.values():
        for each in signature.graph.variables:
            if each.dtype.is_floating:
                seen[id(each)] = each
    return seen.values()


@pytest.mark.slow
def test_a_good_model_passes_with_its_figures(model, questions, quarantine):
    trial = attempt(model, questions, quarantine)
    assert trial.reasons == []
    assert trial.images == len(IMAGES)
    assert trial.load_seconds > 0
    assert trial.latency_ms > 0
    assert trial.memory_gib > 0.1


@pytest.mark.slow
def test_where_a_signature_is_required_the_trial_needs_none(
    model, questions, quarantine, tmp_path, monkeypatch
):
    """A model is signed when it is pushed, which this check decides."""
    monkeypatch.setenv(VERIFY_KEY, str(signed.keys(tmp_path / "keys").public))
    assert attempt(model, questions, quarantine).reasons == []


@pytest.mark.slow
def test_labels_in_the_wrong_order_are_refused(model, questions, quarantine, tmp_path):
    def swapped(prediction):
        normal, pneumonia = contract.LABELS
        label = prediction[contract.PREDICTED_LABEL]
        other = tf.where(label == normal, pneumonia, normal)
        return prediction | {
            contract.PREDICTED_LABEL: tf.where(prediction[contract.VALID], other, label)
        }

    trial = attempt(saved_with(model, tmp_path / "model", swapped), questions, quarantine)
    assert "over REST, one at a time, image " in trial.reasons[0]
    assert ": the label is " in trial.reasons[0]
    assert any("over gRPC, in batches" in reason for reason in trial.reasons)
    assert "(so for 40 of 41 images)" in trial.reasons[-1]


@pytest.mark.slow
def test_weights_that_are_not_numbers_are_refused(model, questions, quarantine, tmp_path):
    trial = attempt(saved_with(model, tmp_path / "model", weight=np.nan), questions, quarantine)
    assert "the probability is nan, which is not a number" in trial.reasons[0]


@pytest.mark.slow
def test_other_weights_are_refused(model, questions, quarantine, tmp_path):
    trial = attempt(saved_with(model, tmp_path / "model", weight=0.01), questions, quarantine)
    assert ", the Evaluator's 0." in trial.reasons[0]


@pytest.mark.slow
def test_a_missing_signature_is_refused(model, questions, quarantine, tmp_path):
    broken = saved_with(model, tmp_path / "model", signatures=("other",))
    (reason,) = attempt(broken, questions, quarantine).reasons
    assert "the server does not load it: " in reason
    assert "there is no signature serving_default" in reason


@pytest.mark.slow
def test_truncated_variables_are_refused(model, questions, quarantine, tmp_path):
    broken = tmp_path / "model"
    shutil.copytree(model, broken)
    (data,) = broken.glob("variables/variables.data-*")
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
    (reason,) = attempt(broken, questions, quarantine).reasons
    assert "the server does not load it: " in reason
    assert "cannot be loaded as a model" in reason


@pytest.mark.slow
def test_a_slow_and_a_large_model_are_refused(model, questions, quarantine):
    trial = attempt(model, questions, quarantine, maximum_latency_ms=0.01, maximum_memory_gib=0.01)
    latency, memory = trial.reasons
    assert latency.endswith("ms, more than maximum_latency_ms, 0.01")
    assert memory.endswith("GiB, more than maximum_memory_gib, 0.01")


@pytest.fixture
def given(tmp_path):
    """What the component reads: one image, with the Evaluator's prediction."""
    model = tiny.artifact(standard_artifacts.Model, tmp_path / "model")
    saved = tmp_path / "model" / "Format-Serving"
    saved.mkdir()
    (saved / "saved_model.pb").write_bytes(b"graph")
    record(saved)
    row = tiny.example(0, 0.25, **{contract.IMAGE: b"image", contract.FILENAME: "a.png"})
    tiny.write_split(tmp_path / "examples", contract.TEST, [row])
    examples = tiny.examples_artifact(tmp_path / "examples", [contract.TEST])
    evaluation = tiny.artifact(standard_artifacts.ModelEvaluation, tmp_path / "evaluation")
    predicted.write(evaluation, model, [predicted.image("a.png")])
    return {"model": model, "examples": examples, "evaluation": evaluation}


def execute(given, tmp_path):
    blessing = standard_artifacts.InfraBlessing()
    blessing.uri = str(tmp_path / "blessing")
    component.ServingCheck.test_call(
        **given,
        blessing=blessing,
        settings=ServingCheckSettings().model_dump_json(),
        model_name="chest_xray",
        images=str(tmp_path),
        quarantine=str(tmp_path / "quarantine.csv"),
    )
    return blessing


@pytest.mark.parametrize(
    ("reasons", "file"), [([], "INFRA_BLESSED"), (["it is slow"], "INFRA_NOT_BLESSED")]
)
def test_the_blessing_has_the_marks_of_tfx(given, tmp_path, monkeypatch, reasons, file):
    questions_tried = []

    def tried(model, files, name, questions, *_, **__):
        questions_tried.extend(questions)
        return Trial(reasons=reasons)

    monkeypatch.setattr(component, "try_serving", tried)
    blessing = execute(given, tmp_path)
    assert questions_tried == [Question(b"image", predicted.image("a.png"))]
    assert (tmp_path / "blessing" / file).exists()
    assert blessing.get_int_custom_property("blessed") == int(not reasons)
    assert blessing.get_string_custom_property("reasons") == "\n".join(reasons)
    assert model_sums.blessed(blessing) == sums(tmp_path / "model" / "Format-Serving")
    report = json.loads((tmp_path / "blessing" / component.REPORT).read_text())
    assert report["reasons"] == reasons


def other_model(given):
    (given["model"].uri / Path("Format-Serving/saved_model.pb")).write_bytes(b"another graph")
    record(given["model"].uri / Path("Format-Serving"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda given: predicted.write(given["evaluation"], given["model"], []),
            "has predictions of 0 images, the split test has 1",
        ),
        (other_model, "has the predictions of another model"),
        (
            lambda given: predicted.write(
                given["evaluation"], given["model"], [predicted.image("b.png")]
            ),
            "1 of 1 images that were predicted are not in",
        ),
        (
            lambda given: example_counts.mark(given["examples"], {contract.TEST: 2}, "f1"),
            "has predictions of 1 images, the split test has 2",
        ),
    ],
)
def test_predictions_of_anything_else_stop_the_run_before_it_is_served(
    given, tmp_path, monkeypatch, change, said
):
    monkeypatch.setattr(component, "try_serving", lambda *_, **__: pytest.fail("served"))
    change(given)
    with pytest.raises(UserError, match=said):
        execute(given, tmp_path)
    assert not (tmp_path / "blessing").exists()


@pytest.fixture
def served(monkeypatch, tmp_path):
    """A model that a server is said to serve, whose client ends with an error."""
    saved = tmp_path / "model"
    saved.mkdir()
    (saved / "saved_model.pb").write_bytes(b"graph")

    def ends_with(error):
        @contextmanager
        def failing(folder):
            raise error
            yield

        monkeypatch.setattr(serving_check_trial, "_served", failing)
        return saved

    return ends_with


@pytest.mark.parametrize(
    "error",
    [
        UserError("the server ended after 0 s"),
        Unavailable("the connection broke"),
        DeadlinePassed("too late"),
        OSError(28, "No space left on device"),
        KeyboardInterrupt(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_server_that_says_nothing_is_not_a_verdict(served, quarantine, error):
    """Else a refusal would stay in the cache that an interrupt or a full disk brought about."""
    with pytest.raises(type(error)):
        attempt(served(error), [], quarantine)


def test_a_server_that_refuses_is_one(served, quarantine):
    assert attempt(served(Refused("it has no such input")), [], quarantine).reasons == [
        "it has no such input"
    ]


def test_only_the_model_that_was_examined_is_tried(served, quarantine):
    model = served(KeyboardInterrupt())
    with pytest.raises(UserError, match="not the model that was examined"):
        try_serving(
            model,
            {"saved_model.pb": "another"},
            "chest_xray",
            [],
            ServingCheckSettings(),
            images=quarantine.parent,
            quarantine=quarantine,
        )
