"""A training with ``folds``: the members, their average, and a kill between them."""

import csv
import json

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import xray
from tests.trainer_module import small
from trainer_module import run
from trainer_module.decision import calibration, out_of_fold
from trainer_module.decision.calibration import Calibration
from trainer_module.decision.out_of_fold import Predictions
from trainer_module.input import batches, folds
from trainer_module.networks import ensemble
from trainer_module.training.members import predict
from trainer_module.training.steps import Steps
from transform_module import contract
from transform_module.contract import IMAGE_SIZE

pytestmark = pytest.mark.slow

SETTINGS = small.SETTINGS.model_copy(update={"folds": 3, "epochs": 2})


@pytest.fixture(scope="module")
def trained(transformed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ensemble")
    exported = []
    export = run.saved_model.export
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            run.saved_model,
            "export",
            lambda model, *args, **output: exported.append(model) or export(model, *args, **output),
        )
        small.run(transformed, folder, SETTINGS)
    return folder, exported[0]


@pytest.fixture(scope="module")
def record(trained):
    return json.loads((trained[0] / "model" / contract.MODEL_RECORD).read_text())


def test_the_record_shows_each_members_training(record):
    output = record["training"]
    assert len(output["members"]) == 3
    assert output["epochs"] == sum(member["epochs"] for member in output["members"])
    images = output["train_pictures"] + output["eval_pictures"]
    assert sum(member["eval_pictures"] for member in output["members"]) == images
    for member in output["members"]:
        assert member["train_pictures"] + member["eval_pictures"] == images
        assert 0 <= member["val_auc"] <= 1


def test_the_history_has_a_column_for_the_member_and_tensorboard_a_folder(trained):
    folder, _ = trained
    with (folder / "run" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["member"], row["epoch"]) for row in rows] == [
        (str(member), str(epoch)) for member in (1, 2, 3) for epoch in (1, 2)
    ]
    for member in (1, 2, 3):
        assert list((folder / "run" / f"member-{member}").glob("events.out.tfevents*"))
    assert not any((folder / "backups").iterdir())


def test_the_served_probability_is_the_calibrated_average(trained, record):
    folder, model = trained
    images = [xray(number, number % 2) for number in range(4)]
    loaded = tf.saved_model.load(str(folder / "model"))
    served = loaded.signatures[contract.SERVING_DEFAULT](image_bytes=tf.constant(images))
    pixels = loaded.signatures[contract.TRANSFORM_FEATURES](
        examples=tf.constant([example(image) for image in images])
    )[contract.IMAGE_XF]
    assert len(ensemble.members(model)) == 3
    expected = Calibration(**record["calibration"])(model(pixels)[:, 0]).numpy()
    np.testing.assert_allclose(served[contract.PROBABILITY].numpy(), expected, atol=1e-5)


def example(image):
    written = tf.train.Example()
    written.features.feature[contract.IMAGE].bytes_list.value.append(image)
    return written.SerializeToString()


def test_every_weight_is_written_once(trained):
    folder, model = trained
    reader = tf.train.load_checkpoint(str(folder / "model" / "variables" / "variables"))
    written = reader.get_variable_to_shape_map()
    kernels = [shape for shape in written.values() if len(shape) > 1]
    assert len(kernels) == sum(len(weight.shape) > 1 for weight in model.weights)


def test_calibration_and_threshold_are_fitted_out_of_fold(transformed, trained, record):
    """Each image is evaluated by the one member that has not learnt from it."""
    _, model = trained
    train, evaluation = (
        batches.read(files, IMAGE_SIZE)
        for files in (transformed.train_files, transformed.eval_files)
    )
    member_predictions = []
    averaged, parts = ensemble.members(model), folds.split(train, evaluation, folds=3, seed=7)
    for number, (member, (_, unseen)) in enumerate(zip(averaged, parts, strict=True)):
        probabilities, labels = predict(member, [unseen], 8)
        of_next, _ = predict(member, [parts[(number + 1) % 3][1]], 8)
        member_predictions.append(Predictions(probabilities, labels, unseen.patients, of_next))
    agreement = out_of_fold.agreement(member_predictions)
    assert record["training"]["agreement"] == pytest.approx(agreement, rel=1e-3)
    labels = np.concatenate([each.labels for each in member_predictions])
    raw = out_of_fold.as_average(member_predictions, agreement)
    fitted = calibration.fit(raw, labels, "platt")
    assert record["calibration"]["slope"] == pytest.approx(fitted.slope, rel=1e-3)
    spread = out_of_fold.as_average(member_predictions, 1.0)
    output = fitted(tf.constant(spread)).numpy() >= np.float32(record["threshold"])
    assert record["operating_point"]["eval_sensitivity"] == output[labels == 1].mean()


def test_a_training_killed_in_its_second_member_continues_there(
    transformed, trained, record, tmp_path, monkeypatch
):
    with small.killed_after(3):
        small.run(transformed, tmp_path, SETTINGS)
    trains = []
    train = Steps.train
    monkeypatch.setattr(Steps, "train", lambda *a, **k: trains.append(1) or train(*a, **k))
    small.run(transformed, tmp_path, SETTINGS)
    assert len(trains) == 3
    resumed = json.loads((tmp_path / "model" / contract.MODEL_RECORD).read_text())
    for found, unbroken in zip(
        resumed["training"]["members"], record["training"]["members"], strict=True
    ):
        assert found == pytest.approx(unbroken)
