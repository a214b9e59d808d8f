import json
import math
import shutil

import apache_beam as beam
import numpy as np
import pytest
from tfx.types import standard_artifacts

from components.artifacts import model_sums
from components.baseline import component
from components.evaluator import predictions
from components.evaluator.component import Evaluator
from components.evaluator.evaluation import OVERALL, Evaluation, read_evaluation
from components.evaluator.settings import EvaluationSettings
from serving.beam.beam_args import DEFAULT_BEAM_ARGS
from serving.versions import pushed
from tests.components import tiny
from tests.images import encode
from transform_module import contract
from transform_module.errors import UserError
from transform_module.files import sums

pytestmark = pytest.mark.slow

# Label, probability and subtype; the threshold 0.5 takes the 0.5 in.
ROWS = (
    (0, 0.1, "normal"),
    (0, 0.2, "normal"),
    (0, 0.6, "normal"),
    (0, 0.3, "normal"),
    (1, 0.5, "virus"),
    (1, 0.9, "virus"),
    (1, 0.4, "bacteria"),
    (1, 0.8, "bacteria"),
    (1, 0.7, None),
)


def auc(rows) -> float:
    """The share of pairs in the right order."""
    pairs = [(p, n) for label, p, _ in rows if label for other, n, _ in rows if not other]
    return sum((p > n) + (p == n) / 2 for p, n in pairs) / len(pairs)


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    rows = [tiny.example(label, p, subtype=subtype) for label, p, subtype in ROWS]
    tiny.write_split(folder, contract.TEST, rows)
    tiny.write_split(folder, contract.EVAL, [tiny.example(1, 0.0)])
    return tiny.examples_artifact(folder, [contract.EVAL, contract.TEST])


@pytest.fixture(scope="module")
def good_model(tmp_path_factory):
    return tiny.save_model(tmp_path_factory.mktemp("good") / "model")


def model_artifact(folder, saved=None):
    artifact = tiny.artifact(standard_artifacts.Model, folder)
    if saved is not None:
        shutil.copytree(saved, folder / "Format-Serving")
        sums.record(folder / "Format-Serving")
    return artifact


def baseline_artifact(folder, saved=None):
    artifact = model_artifact(folder, saved)
    if saved is not None:
        manifest = {"version": 17, "files": pushed.sums(saved)}
        (folder / "Format-Serving" / pushed.MANIFEST).write_text(json.dumps(manifest))
    artifact.set_int_custom_property(component.PRESENT, int(saved is not None))
    artifact.set_string_custom_property(component.VERSION, "17")
    artifact.set_string_custom_property(component.REASON, "" if saved else "nothing is pushed yet")
    return artifact


def inputs(tmp_path, examples, model, pushed_model=None):
    return {
        "examples": examples,
        "model": model_artifact(tmp_path / "model", model),
        "baseline_model": baseline_artifact(tmp_path / "baseline", pushed_model),
    }


def execute(tmp_path, given, **settings):
    """Runs the component; returns its outputs, the evaluation and the blessing."""
    bounds = {"minimum_auc": 0.7, "minimum_sensitivity": 0.7, **settings}
    evaluation = tiny.artifact(standard_artifacts.ModelEvaluation, tmp_path / "evaluation")
    blessing = tiny.artifact(standard_artifacts.ModelBlessing, tmp_path / "blessing")
    Evaluator.test_call(
        **given,
        evaluation=evaluation,
        blessing=blessing,
        settings=EvaluationSettings(**bounds).model_dump_json(),
        beam_pipeline=beam.Pipeline(argv=[*DEFAULT_BEAM_ARGS]),
    )
    return evaluation, blessing


def evaluate(tmp_path, examples, model, pushed_model=None, **settings) -> Evaluation:
    given = inputs(tmp_path, examples, model, pushed_model)
    evaluation, blessing = execute(tmp_path, given, **settings)
    outcome = read_evaluation(evaluation.uri)
    mark = "BLESSED" if outcome.blessed else "NOT_BLESSED"
    assert {path.name for path in (tmp_path / "blessing").iterdir()} == {mark, sums.SUMS}
    assert model_sums.blessed(blessing) == sums.sums(model)
    assert blessing.get_int_custom_property("blessed") == int(outcome.blessed)
    assert blessing.get_string_custom_property("reasons") == "\n".join(outcome.reasons)
    assert evaluation.get_string_custom_property("notes") == "\n".join(outcome.notes)
    return outcome


def test_a_first_model_is_predicted_on_the_test_split_by_serve_examples(
    tmp_path, examples, good_model
):
    outcome = evaluate(tmp_path, examples, good_model)
    overall = outcome.slices[OVERALL]
    assert (overall.examples, overall.invalid) == (9, 0)
    # serving_default would give 1 - AUC, the split eval a single class.
    assert overall.auc == pytest.approx(auc(ROWS), abs=1e-3)
    assert (overall.true_positives, overall.false_negatives) == (4, 1)
    assert (overall.true_negatives, overall.false_positives) == (3, 1)
    assert overall.sensitivity == pytest.approx(4 / 5)
    assert overall.specificity == pytest.approx(3 / 4)
    assert overall.accuracy == pytest.approx(7 / 9)
    assert overall.brier == pytest.approx(sum((p - y) ** 2 for y, p, _ in ROWS) / 9, abs=1e-6)
    assert overall.calibration == pytest.approx(sum(p for _, p, _ in ROWS) / 5, abs=1e-6)
    assert 0 < overall.pr_auc <= 1
    assert outcome.blessed
    assert outcome.baseline is None
    assert "nothing is pushed yet" in outcome.notes[0]


def test_the_predictions_are_written_image_by_image(tmp_path, examples, good_model):
    other = tiny.save_model(tmp_path / "pushed", power=2.0, threshold=0.25)
    given = inputs(tmp_path, examples, good_model, other)
    evaluation, _ = execute(tmp_path, given)
    found = predictions.read(evaluation, given["model"], examples)
    models, images = found.models, found.images
    assert models == predictions.Models(sums.digest(sums.sums(good_model)), "17", 0.25)
    written = [(int(each.label), round(each.probability, 3), each.subtype) for each in images]
    assert sorted(written) == sorted((y, p, subtype or "") for y, p, subtype in ROWS)
    for each in images:
        assert each.other_probability == pytest.approx(each.probability**2)
        assert (each.valid, each.other_valid, each.in_domain) == (True, True, None)
        assert each.triage is None
        assert (each.patient, each.bytes, each.sha256) == ("patient", 14, "0" * 64)


def test_an_image_is_measured_as_the_model_sees_it(tmp_path, good_model):
    image = encode(np.full((300, 200), 90, np.uint8), "png-grey")
    rows = [tiny.example(n % 2, 0.5, **{contract.IMAGE: image}) for n in range(2)]
    rows.append(tiny.example(0, 0.5, **{contract.IMAGE: image}, format=tiny.BROKEN))
    tiny.write_split(tmp_path / "examples", contract.TEST, rows)
    examples = tiny.examples_artifact(tmp_path / "examples", [contract.TEST])
    with_domain = tiny.save_model(tmp_path / "with_domain", has_domain=True)
    given = inputs(tmp_path, examples, with_domain)
    evaluation, _ = execute(tmp_path, given)
    images = predictions.read(evaluation, given["model"], examples).images
    for each in images:
        assert each.domain_distance == 1
        assert each.in_domain == each.valid
        assert each.triage == "REVIEW"
        known = (each.width, each.height, each.mode, each.brightness, each.contrast)
        assert known == ((200, 300, "L", 51, 0) if each.valid else (0, 0, "", None, None))
    assert [each.probability for each in images if not each.valid] == [0.5]


def test_a_prediction_that_is_lost_stops_the_run(tmp_path, examples, good_model, monkeypatch):
    write = predictions.write
    monkeypatch.setattr(predictions, "write", lambda images, **of: write(images[1:], **of))
    given = inputs(tmp_path, examples, good_model)
    with pytest.raises(UserError, match=r"predictions of 8 images, the split test has 9\."):
        execute(tmp_path, given)
    assert list((tmp_path / "blessing").iterdir()) == []


def test_the_calibration_error_is_that_of_ten_bins(tmp_path, examples, good_model):
    overall = evaluate(tmp_path, examples, good_model).slices[OVERALL]
    # Each probability has a bin of its own here.
    assert overall.ece == pytest.approx(sum(abs(p - y) for y, p, _ in ROWS) / 9, abs=1e-6)


def test_a_slice_of_one_class_has_no_auc(tmp_path, examples, good_model):
    slices = evaluate(tmp_path, examples, good_model).slices
    assert list(slices) == [OVERALL, "subtype:bacteria", "subtype:normal", "subtype:virus"]
    assert slices["subtype:virus"].auc is None
    assert slices["subtype:virus"].sensitivity == 1
    assert slices["subtype:virus"].specificity is None
    assert slices["subtype:normal"].sensitivity is None
    assert slices["subtype:normal"].specificity == pytest.approx(3 / 4)
    assert not any(
        isinstance(value, float) and math.isnan(value)
        for metrics in slices.values()
        for value in vars(metrics).values()
    )


def test_a_model_below_the_floors_is_refused_with_metric_value_and_bound(
    tmp_path, examples, good_model
):
    outcome = evaluate(tmp_path, examples, good_model, minimum_auc=0.95, minimum_sensitivity=0.9)
    assert not outcome.blessed
    assert outcome.reasons == [
        "AUC 0.9000 is below the floor 0.95 on slice Overall",
        "sensitivity 0.8000 is below the floor 0.9 on slice Overall",
    ]


def test_an_equal_model_holds_against_the_baseline(tmp_path, examples, good_model):
    outcome = evaluate(
        tmp_path, examples, good_model, good_model, maximum_auc_drop=0, maximum_sensitivity_drop=0
    )
    assert outcome.blessed
    assert outcome.baseline == outcome.slices[OVERALL]
    assert outcome.notes == ["Compared with the pushed version 17."]


def test_a_baseline_of_before_there_was_a_domain_is_compared_with(tmp_path, examples, good_model):
    newer = tiny.save_model(tmp_path / "newer", has_domain=True)
    outcome = evaluate(tmp_path, examples, newer, good_model)
    assert outcome.baseline == outcome.slices[OVERALL]


def test_a_model_worse_than_the_baseline_is_refused(tmp_path, examples, good_model):
    worse = tiny.save_model(tmp_path / "worse", power=3.0)
    outcome = evaluate(tmp_path, examples, worse, good_model, minimum_sensitivity=0)
    assert not outcome.blessed
    (reason,) = outcome.reasons
    # 0.9 ** 3 and 0.8 ** 3 stay above 0.5; the order, and so the AUC, is the same.
    assert reason == (
        "sensitivity 0.4000 is 0.4000 below the pushed model's 0.8000 (allowed drop 0.05) "
        "on slice Overall"
    )


def test_each_model_is_predicted_at_its_own_threshold(tmp_path, examples, good_model):
    other = tiny.save_model(tmp_path / "pushed", threshold=0.85)
    found = sum(p >= 0.85 for y, p, _ in ROWS if y) / 5
    outcome = evaluate(
        tmp_path, examples, good_model, other, minimum_sensitivity=0, maximum_sensitivity_drop=1
    )
    assert outcome.threshold == 0.5
    assert outcome.slices[OVERALL].sensitivity == pytest.approx(4 / 5)
    assert outcome.baseline.sensitivity == pytest.approx(found)
    assert found < 4 / 5
    assert outcome.baseline.auc == outcome.slices[OVERALL].auc


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"signatures": [contract.SERVING_DEFAULT]}, "no signature serve_examples"),
        ({"threshold": None}, "has no operating threshold"),
        ({"labels": ["SICK", "WELL"]}, "the pushed model has labels ['SICK', 'WELL'], this one"),
        ({"record": False}, "the pushed model has labels None"),
    ],
)
def test_a_baseline_that_does_not_fit_is_reported_and_left_out(
    tmp_path, examples, good_model, damage, said
):
    other = tiny.save_model(tmp_path / "pushed", **damage)
    outcome = evaluate(tmp_path, examples, good_model, other)
    assert outcome.blessed
    assert outcome.baseline is None
    assert said in outcome.notes[0]
    assert outcome.slices[OVERALL].auc == pytest.approx(auc(ROWS), abs=1e-3)


class TestFailure:
    """It stops the run: there is no blessing, and nothing that a cache could take for one."""

    def assert_no_verdict(self, tmp_path, given, error, said=""):
        with pytest.raises(error, match=said or None):
            execute(tmp_path, given)
        assert list((tmp_path / "blessing").iterdir()) == []

    @pytest.mark.parametrize(
        "error",
        [
            RuntimeError("KeyboardInterrupt [while running 'ExtractEvaluateAndWriteResults/Map']"),
            KeyboardInterrupt(),
            OSError(28, "No space left on device"),
            MemoryError(),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_while_both_models_are_evaluated(
        self, tmp_path, examples, good_model, monkeypatch, error
    ):
        def failing(beam_pipeline, examples, evaluation, compared, *_):
            if len(compared) == 2:
                raise error

        monkeypatch.setattr("components.evaluator.component._compute", failing)
        given = inputs(tmp_path, examples, good_model, good_model)
        self.assert_no_verdict(tmp_path, given, type(error))

    def test_of_a_baseline_that_fits(self, tmp_path, examples, good_model):
        failing = tiny.save_model(tmp_path / "pushed", fails=True)
        given = inputs(tmp_path, examples, good_model, failing)
        said = r"The pushed version 17 cannot evaluate this data \(.*Roll back to a version"
        self.assert_no_verdict(tmp_path, given, UserError, said)

    @pytest.mark.parametrize("name", ["saved_model.pb", "variables/variables.index"])
    def test_of_a_baseline_that_was_pushed_damaged(self, tmp_path, examples, good_model, name):
        damaged = shutil.copytree(good_model, tmp_path / "pushed")
        (damaged / name).write_bytes(b"no model")
        given = inputs(tmp_path, examples, good_model, damaged)
        self.assert_no_verdict(tmp_path, given, UserError, "Roll back to a")

    @pytest.mark.parametrize("name", ["saved_model.pb", pushed.MANIFEST, contract.MODEL_RECORD])
    def test_of_the_copy_of_the_pushed_model(self, tmp_path, examples, good_model, name):
        given = inputs(tmp_path, examples, good_model, good_model)
        (tmp_path / "baseline" / "Format-Serving" / name).unlink()
        self.assert_no_verdict(tmp_path, given, UserError, "copy of the pushed model is damaged")

    @pytest.mark.parametrize("damage", ["cut", "lost", "sums"])
    def test_of_the_model_itself(self, tmp_path, examples, good_model, damage):
        given = inputs(tmp_path, examples, good_model)
        place = tmp_path / "model"
        (data,) = place.glob("Format-Serving/variables/variables.data*")
        if damage == "cut":
            data.write_bytes(data.read_bytes()[:-1])
        else:
            (data if damage == "lost" else place / sums.SUMS).unlink()
        said = f"Remove {place} and run again: the model is then trained anew"
        self.assert_no_verdict(tmp_path, given, UserError, said)


def test_a_broken_newer_version_is_reported(tmp_path, examples, good_model):
    given = inputs(tmp_path, examples, good_model, good_model)
    other = given["baseline_model"]
    other.set_string_custom_property(
        component.BROKEN, "push/18/saved_model.pb: the file is missing"
    )
    evaluation, _ = execute(tmp_path, given)
    assert read_evaluation(evaluation.uri).notes == [
        "Compared with the pushed version 17.",
        "A pushed version is passed over: push/18/saved_model.pb: the file is missing.",
    ]


def test_undecodable_images_count_in_no_metric_and_refuse_when_they_are_many(tmp_path, good_model):
    rows = [tiny.example(label, p) for label, p, _ in ROWS]
    rows += [tiny.example(0, 0.9, format=tiny.BROKEN)] * 2
    tiny.write_split(tmp_path / "examples", contract.TEST, rows)
    examples = tiny.examples_artifact(tmp_path / "examples", [contract.TEST])
    outcome = evaluate(tmp_path, examples, good_model)
    overall = outcome.slices[OVERALL]
    assert (overall.examples, overall.invalid) == (9, 2)
    assert overall.auc == pytest.approx(auc(ROWS), abs=1e-3)
    assert overall.false_positives == 1
    assert outcome.reasons == [
        "invalid images 2 of 11 are more than the allowed share 0.01 on slice Overall"
    ]
    assert "2 images" in outcome.notes[1]


def test_a_test_split_of_one_class_still_gets_a_verdict(tmp_path, good_model):
    tiny.write_split(tmp_path / "examples", contract.TEST, [tiny.example(1, 0.9)] * 3)
    examples = tiny.examples_artifact(tmp_path / "examples", [contract.TEST])
    outcome = evaluate(tmp_path, examples, good_model, good_model)
    assert not outcome.blessed
    assert (
        "AUC is undefined on slice Overall with 0 negatives and 3 positives" in (outcome.reasons[0])
    )
    assert json.loads((tmp_path / "evaluation" / "evaluation.json").read_text())
