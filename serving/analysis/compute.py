"""All findings about predicted images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from serving.analysis import curves, delong, groups, shortcuts, slices
from serving.analysis.bootstrap import Bootstrap
from serving.analysis.figures import figures, predicted_positive
from serving.analysis.findings import (
    Comparison,
    Confusion,
    Corruption,
    Domain,
    Drift,
    Findings,
    Group,
    Miss,
    Shift,
    Triage,
)
from serving.analysis.predicted import Predicted, PredictedImage
from transform_module.contract import LABELS
from transform_module.errors import UserError

ALL: Final = "all"
"""The name of the group of everything."""


@dataclass(frozen=True)
class Other:
    """The predictions of another model.

    Attributes:
        name: its name and version.
        threshold: its operating threshold.
        probability: [N] of pneumonia, of the same images.
        valid: [N] bool, whether it could decode them.
    """

    name: str
    threshold: float
    probability: np.ndarray
    valid: np.ndarray


def other(images: Sequence[PredictedImage], name: str, threshold: float) -> Other | None:
    """Returns the predictions of another model; None where there are none.

    Args:
        images: with the predictions of both models, or of one.
        name: the other's name and version.
        threshold: its operating threshold.
    """
    if all(image.other_valid is None for image in images):
        return None
    return Other(
        name,
        threshold,
        np.array([image.other_probability for image in images], np.float64),
        np.array([image.other_valid for image in images], bool),
    )


def findings(
    predicted: Predicted,
    *,
    model: str,
    record: Mapping[str, Any],
    data: str,
    threshold: float,
    corruptions: Sequence[Corruption] = (),
    shifts: Sequence[Shift] = (),
    drift: Sequence[Drift] = (),
    other: Other | None = None,
    notes: Sequence[str] = (),
    bootstrap: Bootstrap = Bootstrap(),  # noqa: B008  (a frozen value)
) -> Findings:
    """Computes the findings about a model from predicted images.

    Args:
        predicted: the images, with those that could not be decoded.
        model: its name and version.
        record: its own record.
        data: what was evaluated, in a few words.
        threshold: its operating threshold.
        corruptions: the figures on corrupted images.
        shifts: the figures on shifted images.
        drift: of the images from those that it was trained on.
        other: another model, to compare with.
        notes: what to know of the images, a sentence each.
        bootstrap: draws the replicates of the intervals.

    Raises:
        UserError: the images that could be decoded show fewer than both classes.
    """
    seen = predicted.only(predicted.valid)
    _refuse_one_class(seen, len(predicted))
    positive = predicted_positive(seen.probability, threshold)
    return Findings(
        model=model,
        record=dict(record),
        data=data,
        threshold=threshold,
        notes=list(notes),
        images=len(predicted),
        invalid=len(predicted) - len(seen),
        overall=groups.describe(ALL, seen, threshold, bootstrap),
        delong=delong.auc(seen.label, seen.probability, seen.patient),
        slices=_slices(seen, threshold, bootstrap),
        roc=curves.roc(seen, bootstrap),
        precision_recall=curves.precision_recall(seen, bootstrap),
        reliability=curves.reliability(seen, bootstrap),
        confusion=Confusion(
            true_positives=int((positive & seen.label).sum()),
            false_positives=int((positive & ~seen.label).sum()),
            true_negatives=int((~positive & ~seen.label).sum()),
            false_negatives=int((~positive & seen.label).sum()),
        ),
        misses=_misses(seen, positive, threshold),
        corruptions=list(corruptions),
        shifts=list(shifts),
        probes=shortcuts.probe(seen, bootstrap),
        domain=_domain(seen, bootstrap),
        triage=_triage(seen, bootstrap),
        drift=list(drift),
        comparison=_compare(predicted, threshold, other, bootstrap) if other else None,
    )


def shift(
    kind: str, label: np.ndarray, probability: np.ndarray, intact: np.ndarray, threshold: float
) -> Shift:
    """Returns the figures of a model on changed images.

    Args:
        kind: of shift, or of corruption.
        label: [N] bool, whether it is PNEUMONIA.
        probability: [N] of the changed images.
        intact: [N] of the same images before.
        threshold: the operating threshold.
    """
    once = np.ones((1, len(label)))
    found, before = (
        {
            name: None if np.isnan(value[0]) else float(value[0])
            for name, value in figures(label, each, threshold, once).items()
        }
        for each in (probability, intact)
    )
    auc, former = found["auc"], before["auc"]
    return Shift(
        kind=kind,
        images=len(label),
        auc=auc,
        auc_drop=None if auc is None or former is None else former - auc,
        sensitivity=found["sensitivity"],
        specificity=found["specificity"],
        ece=found["ece"],
    )


def _refuse_one_class(seen: Predicted, images: int) -> None:
    missing = [name for value, name in enumerate(LABELS) if not (seen.label == bool(value)).any()]
    if missing:
        raise UserError(
            f"Of {images:,} images {len(seen):,} can be evaluated, and none of them shows "
            f"{' or '.join(missing)}. The figures compare both classes: give images of both."
        )


def _slices(seen: Predicted, threshold: float, bootstrap: Bootstrap) -> dict[str, list[Group]]:
    return {
        dimension: [
            groups.describe(name, seen.only(rows), threshold, bootstrap)
            for name, rows in masks.items()
        ]
        for dimension, masks in slices.masks(seen).items()
    }


def _misses(seen: Predicted, predicted: np.ndarray, threshold: float) -> list[Miss]:
    """Returns the wrong predictions, those farthest on the wrong side of the threshold first.

    The distance is a share of what the side leaves, so that both sides have a most certain one.
    """
    room = np.where(predicted, 1 - threshold, threshold)
    certainty = np.abs(seen.probability - threshold) / np.where(room, room, 1)
    (wrong,) = np.nonzero(predicted != seen.label)
    return [
        _miss(seen, int(row))
        for row in sorted(wrong, key=lambda row: (-certainty[row], str(seen.path[row])))
    ]


def _miss(seen: Predicted, row: int) -> Miss:
    def measured(column: np.ndarray) -> float | None:
        return float(column[row]) if np.isfinite(column[row]) else None

    return Miss(
        path=str(seen.path[row]),
        label=LABELS[int(seen.label[row])],
        subtype=str(seen.subtype[row]),
        probability=float(seen.probability[row]),
        sha256=str(seen.sha256[row]),
        in_domain=None if seen.in_domain is None else bool(seen.in_domain[row]),
        width=int(seen.width[row]) or None,
        height=int(seen.height[row]) or None,
        bytes=int(seen.bytes[row]) or None,
        brightness=measured(seen.brightness),
        contrast=measured(seen.contrast),
        sharpness=measured(seen.sharpness),
    )


def _domain(seen: Predicted, bootstrap: Bootstrap) -> Domain | None:
    if seen.in_domain is None:
        return None
    share = groups.share_of(~seen.in_domain, seen.valid, seen.patient, bootstrap)
    return Domain(len(seen), int((~seen.in_domain).sum()), share)


def _triage(seen: Predicted, bootstrap: Bootstrap) -> Triage | None:
    if seen.triage is None:
        return None
    normal, pneumonia = (seen.triage == label for label in LABELS)
    decided, right = normal | pneumonia, np.where(seen.label, pneumonia, normal)
    return Triage(
        images=len(seen),
        review=int((~decided).sum()),
        decided=groups.share_of(decided, seen.valid, seen.patient, bootstrap),
        accuracy=groups.share_of(right, decided, seen.patient, bootstrap),
        missed_pneumonia=groups.share_of_patients(normal, seen.label, seen.patient, bootstrap),
        false_alarms=groups.share_of_patients(pneumonia, ~seen.label, seen.patient, bootstrap),
    )


def _compare(
    predicted: Predicted, threshold: float, other: Other, bootstrap: Bootstrap
) -> Comparison:
    both = predicted.valid & other.valid
    seen, probability = predicted.only(both), other.probability[both]
    _refuse_one_class(seen, len(predicted))
    difference, p_value = delong.compare(seen.label, seen.probability, probability, seen.patient)
    return Comparison(
        against=other.name,
        auc=difference,
        p_value=p_value,
        differences=groups.differences(seen, probability, (threshold, other.threshold), bootstrap),
    )
