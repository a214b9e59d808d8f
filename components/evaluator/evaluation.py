"""The outcome of an evaluation: metrics by slice, the verdict and its reasons."""

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from components.evaluator.settings import EvaluationSettings
from transform_module.errors import UserError

OVERALL: Final = "Overall"
"""The name of the slice that holds every example."""

EVALUATION: Final = "evaluation.json"
"""The file within a ModelEvaluation artifact that holds an Evaluation."""

NOTES: Final = "notes"
"""Custom property of a ModelEvaluation: its notes, a line for each."""

BASELINE_VERSION: Final = "baseline_version"
"""Custom property of a blessing: the pushed version that was compared with, or an empty text."""

REASONS: Final = "reasons"
"""Custom property of a ModelBlessing: why the model is not blessed, a line for each reason."""

# A difference of two equal bounds is not exactly zero in binary.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Metrics:
    """Metrics of one model on one slice.

    A metric that the slice leaves undefined is None: both AUCs where one class is absent, the
    sensitivity without PNEUMONIA, the specificity without NORMAL.

    Attributes:
        examples: examples that were evaluated.
        invalid: further examples whose image the model called undecodable. No metric has them.
        auc: area under the ROC curve, over 10,000 thresholds.
        pr_auc: area under the precision-recall curve.
        accuracy: share of right predictions at the operating threshold.
        sensitivity: share of PNEUMONIA that is found at the operating threshold.
        specificity: true-negative rate: share of NORMAL classified as NORMAL.
        true_positives: PNEUMONIA predicted PNEUMONIA.
        false_positives: NORMAL predicted PNEUMONIA.
        true_negatives: NORMAL predicted NORMAL.
        false_negatives: PNEUMONIA predicted NORMAL.
        calibration: mean probability over the share of PNEUMONIA; 1 is right.
        ece: expected calibration error, over 10 bins of equal width.
        brier: mean squared difference between probability and label.
    """

    examples: int = 0
    invalid: int = 0
    auc: float | None = None
    pr_auc: float | None = None
    accuracy: float | None = None
    sensitivity: float | None = None
    specificity: float | None = None
    true_positives: int = 0
    false_positives: int = 0
    true_negatives: int = 0
    false_negatives: int = 0
    calibration: float | None = None
    ece: float | None = None
    brier: float | None = None

    @property
    def positives(self) -> int:
        """Examples of PNEUMONIA that were evaluated."""
        return self.true_positives + self.false_negatives

    @property
    def negatives(self) -> int:
        """Examples of NORMAL that were evaluated."""
        return self.true_negatives + self.false_positives


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Attributes:
        threshold: the operating threshold.
        blessed: whether the model may be pushed.
        reasons: why it may not, a sentence for each bound that it misses; empty when blessed.
        notes: what else to know: what became of the baseline, undecodable images.
        slices: the model's metrics by slice, ``Overall`` first, then ``subtype:virus`` and so on.
        baseline: the pushed model's metrics over the slice Overall, or None without a baseline.
    """

    threshold: float
    blessed: bool
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    slices: dict[str, Metrics] = field(default_factory=dict)
    baseline: Metrics | None = None


def refusals(
    model: Metrics, baseline: Metrics | None, settings: EvaluationSettings
) -> Iterator[str]:
    """Yields why a model is not blessed.

    A metric that is undefined clears no floor, and one that is undefined for the baseline alone
    cannot be compared.

    Args:
        model: the model's metrics over the slice Overall.
        baseline: the pushed model's, or None.
        settings: the bounds.

    Yields:
        One sentence for each bound that the model misses: metric, value, bound, slice.
    """
    where = f"on slice {OVERALL}"
    rows = model.examples + model.invalid
    if model.invalid > settings.maximum_invalid_share * rows:
        yield (
            f"invalid images {model.invalid} of {rows} are more than the allowed share "
            f"{settings.maximum_invalid_share:g} {where}"
        )
    pushed = Metrics() if baseline is None else baseline
    bounds = (
        ("AUC", model.auc, pushed.auc, settings.minimum_auc, settings.maximum_auc_drop),
        (
            "sensitivity",
            model.sensitivity,
            pushed.sensitivity,
            settings.minimum_sensitivity,
            settings.maximum_sensitivity_drop,
        ),
    )
    for name, value, former, floor, drop in bounds:
        if value is None:
            yield (
                f"{name} is undefined {where} with {model.negatives} negatives and "
                f"{model.positives} positives, and so does not reach the floor {floor:g}"
            )
            continue
        if value < floor:
            yield f"{name} {value:.4f} is below the floor {floor:g} {where}"
        if baseline is not None and former is None:
            yield (
                f"{name} {value:.4f} cannot be compared, since the pushed model's is undefined "
                f"{where}; roll back to a version that works (cxr rollback)"
            )
        if former is not None and former - value > drop + _ROUNDING:
            yield (
                f"{name} {value:.4f} is {former - value:.4f} below the pushed model's "
                f"{former:.4f} (allowed drop {drop:g}) {where}"
            )


def evaluation_json(evaluation: Evaluation) -> str:
    """Returns the content of ``evaluation.json``, which `read_evaluation` reads."""
    return json.dumps(dataclasses.asdict(evaluation), indent=2, allow_nan=False) + "\n"


def read_evaluation(path: str | Path) -> Evaluation:
    """Reads the outcome of an evaluation. It needs no TensorFlow.

    Args:
        path: the folder of a ModelEvaluation artifact that our Evaluator made.

    Returns:
        The evaluation.

    Raises:
        UserError: there is none in this folder.
    """
    file = Path(path) / EVALUATION
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{file}: no evaluation can be read here ({error}). Give the folder that the "
            "Evaluator wrote, or run the pipeline again."
        ) from error
    slices = {name: Metrics(**metrics) for name, metrics in content.pop("slices").items()}
    baseline = content.pop("baseline")
    return Evaluation(
        **content, slices=slices, baseline=None if baseline is None else Metrics(**baseline)
    )
