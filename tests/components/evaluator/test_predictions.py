import json

import pytest
from tfx.types import standard_artifacts

from components.artifacts import example_counts
from components.evaluator import predictions
from components.evaluator.predictions import PREDICTIONS, Models
from tests.components import predicted, tiny
from transform_module import contract
from transform_module.errors import UserError
from transform_module.files import sums

IMAGES = [
    predicted.image("b.png", 1 / 3, in_domain=True, domain_distance=1.1, brightness=4.5),
    predicted.image("a.png", 0.9, label=True, other_probability=0.5, other_valid=False),
    predicted.image("c.png", 0.5, valid=False),
]


@pytest.fixture
def given(tmp_path):
    """An evaluation, a model and examples that belong together."""
    model = tiny.artifact(standard_artifacts.Model, tmp_path / "model")
    saved = tmp_path / "model" / "Format-Serving"
    saved.mkdir()
    (saved / "saved_model.pb").write_bytes(b"graph")
    sums.record(saved)
    evaluation = tiny.artifact(standard_artifacts.ModelEvaluation, tmp_path / "evaluation")
    examples = tiny.artifact(standard_artifacts.Examples, tmp_path / "examples")
    example_counts.mark(examples, {contract.TEST: len(IMAGES)}, "f1")
    predicted.write(evaluation, model, IMAGES, baseline_version="17", baseline_threshold=0.25)
    return evaluation, model, examples


@pytest.fixture
def file(given, tmp_path):
    return tmp_path / "evaluation" / PREDICTIONS


def test_what_was_written_is_read_digit_for_digit(given):
    found = predictions.read(*given)
    assert sorted(found.images, key=lambda each: each.path) == sorted(
        IMAGES, key=lambda each: each.path
    )
    assert (found.models.baseline_version, found.models.baseline_threshold) == ("17", 0.25)


def test_another_order_makes_the_same_bytes(given, file):
    before = file.read_bytes()
    predicted.write(
        given[0], given[1], IMAGES[::-1], baseline_version="17", baseline_threshold=0.25
    )
    assert file.read_bytes() == before


def test_classes_are_mixed(given):
    evaluation, model, examples = given
    images = [predicted.image(f"{n // 500}/{n}.png", label=n >= 500) for n in range(1000)]
    predicted.write(evaluation, model, images)
    example_counts.mark(examples, {contract.TEST: 1000}, "f1")
    first = predictions.read(*given).images[:128]
    assert 40 < sum(each.label for each in first) < 88


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"no JSON\n",
        lambda content: b"[]\n",
        lambda content: content[:-1],
        lambda content: content[: content.rindex(b"{")],
        lambda content: content + content[content.rindex(b"{") :],
        lambda content: content.replace(b"0.9", b"0.1"),
        lambda content: content.replace(b'"images": 3, ', b""),
        lambda content: content.replace(b'"digest"', b'"sum"'),
        lambda content: content + b"\xff",
    ],
)
def test_a_damaged_file_is_refused(given, file, damage):
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(UserError, match=f"^{file} is missing or damaged .*Remove {file.parent}"):
        predictions.read(*given)


def test_a_missing_file_is_refused(given, file):
    file.unlink()
    with pytest.raises(UserError, match=r"is missing or damaged .* is then evaluated anew"):
        predictions.read(*given)


@pytest.mark.parametrize("images", [IMAGES[:2], [*IMAGES, IMAGES[0]]])
def test_part_or_more_of_the_split_is_refused(given, images):
    predicted.write(given[0], given[1], images)
    said = rf"has predictions of {len(images)} images, the split test has 3\. Nothing is computed"
    with pytest.raises(UserError, match=said):
        predictions.read(*given)


def test_the_predictions_of_another_model_are_refused(given, file):
    evaluation, model, _ = given
    predictions.write(IMAGES, evaluation.uri, Models("0" * 64))
    said = rf"^{file} has the predictions of another model \(its digest is 000000000000, that of "
    with pytest.raises(UserError, match=said + model.uri):
        predictions.read(*given)


@pytest.mark.parametrize("probability", [float("nan"), float("inf")])
def test_a_model_that_returns_no_number_is_refused(given, probability):
    predicted.write(given[0], given[1], [*IMAGES[:2], predicted.image("c.png", probability)])
    with pytest.raises(UserError, match="returned nan, not a probability: its weights are damaged"):
        predictions.read(*given)


def test_the_header_shows_whose_predictions_they_are(given, file):
    header = json.loads(file.read_text().splitlines()[0])
    assert set(header) == {"digest", "baseline_version", "baseline_threshold", "images", "sha256"}
