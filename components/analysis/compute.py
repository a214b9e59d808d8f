"""All findings about judged pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from components.analysis import curves, delong, groups, shortcuts, slices
from components.analysis.bootstrap import Bootstrap
from components.analysis.figures import figures, told_positive
from components.analysis.findings import (
    Comparison,
    Confusion,
    Corruption,
    Domain,
    Drift,
    Findings,
    Group,
    Miss,
)
from components.analysis.judged import Judged
from components.errors import UserError
from transform_module.features import LABELS

ALL: Final = "all"
"""The name of the group of everything."""


@dataclass(frozen=True)
class Other:
    """What another model answers.

    Attributes:
        name: its name and version.
        threshold: its operating threshold.
        probability: [N] of pneumonia, of the same pictures.
        valid: [N] bool, whether it could decode them.
    """

    name: str
    threshold: float
    probability: np.ndarray
    valid: np.ndarray


def findings(
    judged: Judged,
    *,
    model: str,
    record: Mapping[str, Any],
    data: str,
    threshold: float,
    corruptions: Sequence[Corruption] = (),
    drift: Sequence[Drift] = (),
    other: Other | None = None,
    notes: Sequence[str] = (),
    bootstrap: Bootstrap = Bootstrap(),  # noqa: B008  (a frozen value)
) -> Findings:
    """Computes what judged pictures tell of a model.

    Args:
        judged: the pictures, with those that could not be decoded.
        model: its name and version.
        record: what it tells of itself.
        data: what was judged, in a few words.
        threshold: its operating threshold.
        corruptions: how it judges pictures that were spoilt.
        drift: of the pictures from those that it was trained on.
        other: another model, to compare with.
        notes: what to know of the pictures, a sentence each.
        bootstrap: draws the replicates of the intervals.

    Raises:
        UserError: the pictures that could be decoded show fewer than both classes.
    """
    seen = judged.only(judged.valid)
    _refuse_one_class(seen, len(judged))
    told = told_positive(seen.probability, threshold)
    return Findings(
        model=model,
        record=dict(record),
        data=data,
        threshold=threshold,
        notes=list(notes),
        pictures=len(judged),
        invalid=len(judged) - len(seen),
        overall=groups.describe(ALL, seen, threshold, bootstrap),
        delong=delong.auc(seen.label, seen.probability, seen.patient),
        slices=_slices(seen, threshold, bootstrap),
        roc=curves.roc(seen, bootstrap),
        precision_recall=curves.precision_recall(seen, bootstrap),
        reliability=curves.reliability(seen, bootstrap),
        confusion=Confusion(
            true_positives=int((told & seen.label).sum()),
            false_positives=int((told & ~seen.label).sum()),
            true_negatives=int((~told & ~seen.label).sum()),
            false_negatives=int((~told & seen.label).sum()),
        ),
        misses=_misses(seen, told, threshold),
        corruptions=list(corruptions),
        probes=shortcuts.probe(seen, bootstrap),
        domain=_domain(seen, bootstrap),
        drift=list(drift),
        comparison=_compare(judged, threshold, other, bootstrap) if other else None,
    )


def corruption(
    kind: str,
    strength: int,
    label: np.ndarray,
    probability: np.ndarray,
    unspoilt: np.ndarray,
    threshold: float,
) -> Corruption:
    """Tells how a model judges spoilt pictures.

    Args:
        kind: of spoiling.
        strength: of it.
        label: [N] bool, whether it is PNEUMONIA.
        probability: [N] of the spoilt pictures.
        unspoilt: [N] of the same pictures before.
        threshold: the operating threshold.
    """
    once = np.ones((1, len(label)))
    found, before = (
        {
            name: None if np.isnan(value[0]) else float(value[0])
            for name, value in figures(label, each, threshold, once).items()
        }
        for each in (probability, unspoilt)
    )
    auc, former = found["auc"], before["auc"]
    return Corruption(
        kind=kind,
        strength=strength,
        pictures=len(label),
        auc=auc,
        auc_drop=None if auc is None or former is None else former - auc,
        sensitivity=found["sensitivity"],
        specificity=found["specificity"],
        ece=found["ece"],
    )


def _refuse_one_class(seen: Judged, pictures: int) -> None:
    missing = [name for value, name in enumerate(LABELS) if not (seen.label == bool(value)).any()]
    if missing:
        raise UserError(
            f"Of {pictures:,} pictures {len(seen):,} can be judged, and none of them shows "
            f"{' or '.join(missing)}. The figures compare both classes: give pictures of both."
        )


def _slices(seen: Judged, threshold: float, bootstrap: Bootstrap) -> dict[str, list[Group]]:
    return {
        dimension: [
            groups.describe(name, seen.only(rows), threshold, bootstrap)
            for name, rows in masks.items()
        ]
        for dimension, masks in slices.masks(seen).items()
    }


def _misses(seen: Judged, predicted: np.ndarray, threshold: float) -> list[Miss]:
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


def _miss(seen: Judged, row: int) -> Miss:
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


def _domain(seen: Judged, bootstrap: Bootstrap) -> Domain | None:
    if seen.in_domain is None:
        return None
    share = groups.share_of(~seen.in_domain, seen.valid, seen.patient, bootstrap)
    return Domain(len(seen), int((~seen.in_domain).sum()), share)


def _compare(judged: Judged, threshold: float, other: Other, bootstrap: Bootstrap) -> Comparison:
    both = judged.valid & other.valid
    seen, probability = judged.only(both), other.probability[both]
    _refuse_one_class(seen, len(judged))
    difference, p_value = delong.compare(seen.label, seen.probability, probability, seen.patient)
    return Comparison(
        against=other.name,
        auc=difference,
        p_value=p_value,
        differences=groups.differences(seen, probability, (threshold, other.threshold), bootstrap),
    )
