"""Alignment of a model with a place: the shift of its logit, or why there is none."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from serving.align import acquisition, prior_shift
from serving.align.acquisition import LEVEL, DomainShare, Fit
from serving.align.scores import Reference, Scores
from serving.analysis.bootstrap import Bootstrap
from transform_module.contract import LABELS

LEAST_PATIENTS: Final = 300
"""Fewer of a place are refused: a changed acquisition would pass too often, see `acquisition`."""

LEAST_OF_A_CLASS: Final = 20
"""With fewer patients of a class than this the reference does not represent it."""


class Refused(Exception):
    """A place that a model is not aligned with; the message says why, with figures.

    Attributes:
        alignment: what was found; None where nothing was computed.
    """

    def __init__(self, reason: str, alignment: "Alignment | None" = None) -> None:
        """Holds the reason, a sentence or more."""
        super().__init__(reason)
        self.alignment = alignment


@dataclass(frozen=True)
class Alignment:
    """What is known of a place.

    Attributes:
        images: valid ones.
        patients: of these.
        prior: the prevalence under which the model's probabilities are calibrated.
        prevalence: of PNEUMONIA among the place's patients.
        interval: the ends of its 95 % interval.
        fit: whether another prevalence explains the scores.
        domain: whether it explains the images out of domain.
    """

    images: int
    patients: int
    prior: float
    prevalence: float
    interval: tuple[float, float]
    fit: Fit
    domain: DomainShare

    @property
    def shift(self) -> float:
        """What is added to the logit."""
        return float(prior_shift.logit(self.prevalence) - prior_shift.logit(self.prior))

    @property
    def is_needed(self) -> bool:
        """Whether the prevalence is known to differ from the prior."""
        low, high = self.interval
        return not low <= self.prior <= high


def align(reference: Reference, place: Scores, bootstrap: Bootstrap = Bootstrap()) -> Alignment:  # noqa: B008  (a frozen value)
    """Estimates the prevalence of a place, and tests whether that is all that differs.

    Args:
        reference: labelled scores, which the model was calibrated on.
        place: scores of the place's valid images, unlabelled.
        bootstrap: of the interval.

    Raises:
        Refused: there are too few patients, or the acquisition may have changed.
    """
    patients = place.number_of_patients
    if patients < LEAST_PATIENTS:
        raise Refused(
            f"The images are of {patients:,} patients, and {LEAST_PATIENTS} are needed: of fewer, "
            "another prevalence cannot be distinguished from another acquisition."
        )
    for label, name in enumerate(LABELS):
        known = len(np.unique(reference.of(label)[1]))
        if known < LEAST_OF_A_CLASS:
            raise Refused(
                f"The model was calibrated on {known} patients with {name}, and at least "
                f"{LEAST_OF_A_CLASS} are needed to know how it scores them."
            )
    prior, prevalence, interval = prior_shift.estimate(reference, place, bootstrap)
    fit = acquisition.fit(reference, place)
    domain = acquisition.domain_share(reference, place, prevalence)
    found = Alignment(len(place.logits), patients, prior, prevalence, interval, fit, domain)
    if reasons := _reasons(found):
        raise Refused(" ".join(reasons), found)
    return found


def _reasons(found: Alignment) -> list[str]:
    reasons = []
    if found.fit.p_value < LEVEL:
        reasons.append(
            "The scores are not a mixture of those of the two classes, at any prevalence: their "
            f"distance from the best one is {found.fit.statistic:.3f}, and by chance at most "
            f"{found.fit.bound:.3f} (p = {found.fit.p_value:.2g})."
        )
    if found.domain.p_value < LEVEL:
        reasons.append(
            f"{found.domain.share:.1%} of the images are out of domain, of which "
            f"{found.domain.expected:.1%} are expected (p = {found.domain.p_value:.2g})."
        )
    if reasons:
        reasons.append(
            "So the images were taken in another way, or show other patients, and the prevalence "
            "cannot be estimated. Label some of them, see `cxr evaluate`, or train on them."
        )
    return reasons
