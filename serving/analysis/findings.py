"""Results of an evaluation on labelled images: the content of ``findings.json``.

The evaluation fills it, the page and the card show it. Whatever the data leaves undefined (an AUC
of one class, say) is None.
"""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AliasChoices, Field, TypeAdapter, ValidationError

from transform_module.errors import UserError, first_mistake

FINDINGS: Final = "findings.json"
"""The file's name."""

_Count = Annotated[int, Field(validation_alias=AliasChoices("images", "pictures"))]
"""Number of images; files of earlier releases have the second key."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval, by bootstrap over patients unless said otherwise.

    The interval is None where the images give none: all replicates are the same.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Group:
    """Figures of a model on a group of images.

    Attributes:
        name: of the group, such as ``virus``; ``all`` is everything.
        images: that were evaluated, without those that could not be decoded.
        patients: that they show.
        positives: images of PNEUMONIA among them.
        auc: area under the ROC curve.
        pr_auc: average precision.
        accuracy: share of right predictions at the operating threshold.
        sensitivity: share of PNEUMONIA that is found at the operating threshold.
        specificity: true-negative rate: share of NORMAL classified as NORMAL.
        ece: expected calibration error, over 10 bins of equal width.
        brier: mean squared difference between probability and label.
    """

    name: str
    images: _Count
    patients: int
    positives: int
    auc: Estimate = Estimate()
    pr_auc: Estimate = Estimate()
    accuracy: Estimate = Estimate()
    sensitivity: Estimate = Estimate()
    specificity: Estimate = Estimate()
    ece: Estimate = Estimate()
    brier: Estimate = Estimate()


@dataclass(frozen=True)
class Curve:
    """A curve with the 95 % band of its heights.

    Attributes:
        x: ascending, in [0, 1].
        y: height at each x.
        low: lower end of the band at each x.
        high: upper end of it.
    """

    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


@dataclass(frozen=True)
class ReliabilityBin:
    """Images whose probabilities lie in one range.

    Attributes:
        low: the range's start.
        high: its end.
        images: in it.
        probability: their mean; None where there is none.
        share: of PNEUMONIA among them, with an interval by bootstrap over patients.
    """

    low: float
    high: float
    images: _Count
    probability: float | None
    share: Estimate


@dataclass(frozen=True)
class Confusion:
    """Counts at the operating threshold."""

    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int


@dataclass(frozen=True)
class Miss:
    """An image whose predicted label is wrong.

    Attributes:
        path: relative to the folder that was evaluated, or the example's filename.
        label: the true one.
        subtype: of it; empty where it is unknown.
        probability: the predicted one, of pneumonia.
        sha256: of the file, 64 hexadecimal digits; empty where it is unknown.
        in_domain: whether the image resembles the training data; None where the model does not say.
        width: in pixels, of the file; None where it is unknown, as the next five.
        height: in pixels.
        bytes: size of the file.
        brightness: see `transform_module.images.measures`, as the next two.
        contrast: of the pixels that the model sees.
        sharpness: of them.
    """

    path: str
    label: str
    subtype: str
    probability: float
    sha256: str = ""
    in_domain: bool | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    brightness: float | None = None
    contrast: float | None = None
    sharpness: float | None = None


@dataclass(frozen=True)
class Shift:
    """The same images as another place would have taken them.

    Attributes:
        kind: of shift, such as ``crop``, see `transform_module.images.shifts`.
        images: that were evaluated, which may be a sample.
        auc: of them.
        auc_drop: from the AUC of the same images intact.
        sensitivity: at the operating threshold.
        specificity: at the operating threshold.
        ece: as in `Group`.
    """

    kind: str
    images: _Count
    auc: float | None
    auc_drop: float | None
    sensitivity: float | None
    specificity: float | None
    ece: float | None


@dataclass(frozen=True)
class Corruption(Shift):
    """The same images, corrupted.

    Attributes:
        kind: of corruption, such as ``noise``.
        strength: 1 to 5.
    """

    strength: int


@dataclass(frozen=True)
class Probe:
    """Whether the probability follows what says nothing about lungs.

    Attributes:
        name: of the quantity, such as ``file size``.
        alone: AUC of the quantity alone for the label, in this data; below 0.5 where more of it
            means NORMAL. None, as all else, where it is the same in every image.
        within_normal: Spearman's correlation with the probability among NORMAL.
        within_pneumonia: the same among PNEUMONIA.
    """

    name: str
    alone: float | None
    within_normal: Estimate
    within_pneumonia: Estimate


@dataclass(frozen=True)
class Domain:
    """Images that the model flags as out of domain.

    Attributes:
        images: that were predicted.
        flagged: of them with ``in_domain`` false.
        share: of them, with an interval by bootstrap over patients.
    """

    images: _Count
    flagged: int
    share: Estimate


@dataclass(frozen=True)
class Triage:
    """How the model sorts images.

    Attributes:
        images: that were predicted.
        review: of them with REVIEW.
        decided: share of them with NORMAL or PNEUMONIA, with an interval by bootstrap over
            patients, as the next three.
        accuracy: share of right labels among the decided.
        missed_pneumonia: share of PNEUMONIA called NORMAL. Each patient counts once, with the share
            of its images, as in the rates that the model was made for; so in the next one.
        false_alarms: share of NORMAL called PNEUMONIA.
    """

    images: int
    review: int
    decided: Estimate
    accuracy: Estimate
    missed_pneumonia: Estimate
    false_alarms: Estimate


@dataclass(frozen=True)
class Drift:
    """How far the images are from the ones trained on, in one quantity.

    Attributes:
        name: of the quantity.
        distance: Jensen-Shannon divergence, in bits: 0 is equal, 1 has nothing in common.
        trained: the mean over what was trained on.
        here: the mean over these images.
        chance: the distance that as many images of the same kind would show on average.
    """

    name: str
    distance: float
    trained: float | None
    here: float | None
    chance: float | None = None


@dataclass(frozen=True)
class Comparison:
    """Two models on the same images; differences are this one less the other.

    Attributes:
        against: the other model's name and version.
        auc: difference, with DeLong's interval.
        p_value: of no difference in AUC, by DeLong's test, by patients.
        differences: of the figures of `Group` by name, by paired bootstrap over patients.
    """

    against: str
    auc: Estimate
    p_value: float | None
    differences: dict[str, Estimate] = field(default_factory=dict)


@dataclass(frozen=True)
class Findings:
    """All of it.

    Attributes:
        model: name and version, such as ``chest_xray/17``.
        record: the model's own record, see ``assets.extra/model.json``.
        data: what was evaluated, in a few words.
        threshold: the operating threshold.
        images: that were given.
        invalid: images that the model could not decode; no figure has them.
        overall: the group of everything.
        slices: groups by dimension, such as ``subtype``. They may overlap.
        roc: sensitivity over 1 - specificity.
        precision_recall: precision over sensitivity.
        reliability: 10 bins of equal width.
        confusion: at the operating threshold.
        misses: wrong predictions, the most certain first.
        corruptions: empty unless they were requested.
        shifts: likewise.
        probes: for shortcuts.
        domain: None where the model reports none.
        drift: empty where the model brings no statistics of its training.
        comparison: with another model, None without one.
        delong: AUC of everything with DeLong's interval, by patients.
        notes: what else to know of the images, a sentence each.
        triage: None where the model reports none.
    """

    model: str
    record: dict[str, Any]
    data: str
    threshold: float
    images: _Count
    invalid: int
    overall: Group
    slices: dict[str, list[Group]]
    roc: Curve | None
    precision_recall: Curve | None
    reliability: list[ReliabilityBin]
    confusion: Confusion
    misses: list[Miss]
    corruptions: list[Corruption] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    domain: Domain | None = None
    drift: list[Drift] = field(default_factory=list)
    comparison: Comparison | None = None
    delong: Estimate = Estimate()
    notes: list[str] = field(default_factory=list)
    shifts: list[Shift] = field(default_factory=list)
    triage: Triage | None = None


def to_json(findings: Findings) -> str:
    """Returns the content of ``findings.json``, which `read` reads."""
    return json.dumps(dataclasses.asdict(findings), indent=2, allow_nan=False) + "\n"


def read(path: Path) -> Findings:
    """Reads ``findings.json``.

    Raises:
        UserError: it cannot be read, or is not valid.
    """
    try:
        return TypeAdapter(Findings).validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise UserError(f"{path} is not a valid {FINDINGS} ({first_mistake(error)}).") from error
