"""Tests whether another prevalence alone explains the scores of a place.

Where only the prevalence differs (label shift, see `prior_shift`), the distribution of a place's
scores is a mixture of those of the two classes of the reference, and so is its share of images out
of domain. Other machines, exposures or patients change the distributions themselves. Both tests
below have the mixture for their null hypothesis, at `LEVEL` each; a place that either rejects is
not aligned.

**The mixture.** With F, F0 and F1 the cumulative distributions of the place, of NORMAL and of
PNEUMONIA, the share q is that of least squares of F - (1 - q) F0 - q F1, and the statistic is the
mean square of the rest, as of Cramer and von Mises (Anderson, "On the Distribution of the
Two-Sample Cramer-von Mises Criterion", 1962, https://doi.org/10.1214/aoms/1177704477). q does not
come from the maximum likelihood of `prior_shift`, so that a calibration that is a little wrong is
no acquisition. Its distribution is by parametric bootstrap (Stute, Gonzalez Manteiga and Presedo
Quindimil, "Bootstrap Based Goodness-of-Fit-Tests", 1993, https://doi.org/10.1007/BF02613687): the
place is drawn from the mixture, both classes of the reference anew, since they are samples, too,
and q is fitted again. Patients are drawn with one image each, which is right where they have one
and careful where they have more. (The same weighted by the variance, as Anderson and Darling do,
rejected 8 % instead of 2.5 % of simulated places of which only the prevalence was 5 %.)

**How often.** 200 simulated places of 300 patients each, 30 % of them with PNEUMONIA, a reference
of 650 patients with 74 %, classes of AUC 0.96 whose logits have a standard deviation of 2.4 (as
`tests.serving.align.places` draws them). Refused by either test: 2.5 % where only the prevalence
differs (1.5 % at a prevalence of 5 %, 5.5 % at 90 %; none where each patient has three images); of
places whose logits are 0.5 higher 12 %, 1 higher 41 %, 1 lower 54 %, multiplied by 0.8 83 %, by
1.25 84 %; where those of NORMAL alone are 2 higher all. The prevalence is then estimated, in the
mean, at 0.30 where nothing else differs, and at 0.36, 0.42 and 0.20 where the logits are 0.5 and 1
higher and 1 lower: **a shift that is too small to be refused still biases the estimate**, beyond
its interval. More patients make the tests sharper.

**What no test can see.** From scores without labels alone, an acquisition that turns a part of one
class into what the other looks like cannot be distinguished from another prevalence: the model is
then aligned to a wrong one (a fifth of NORMAL with the scores of PNEUMONIA: 1 % refused, 0.43
instead of 0.30). A place that passes was not proven to be alike. So label some of its images (`cxr
evaluate`) before a corrected version decides anything.

**What is not corrected.** Matching the distribution of the logits of the place to the reference's,
by optimal transport or as Unsupervised Prediction Alignment does (Roschewitz et al., "Automatic
correction of performance drift under acquisition shift in medical image classification", Nature
Communications 14, 2023, https://doi.org/10.1038/s41467-023-42396-y), assumes the opposite of the
above: an unchanged prevalence. One distribution of scores does not say which of both changed, and
where both may, neither is right. That is why a place whose scores no mixture fits is refused, and
not matched.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from serving.align.scores import Reference, Scores, weights_of

LEVEL: Final = 0.025
"""The probability that each test rejects a place of which only the prevalence differs."""

_RANGES: Final = 40
_REPLICATES: Final = 2000


@dataclass(frozen=True)
class Fit:
    """How well the best mixture of the two classes fits a place.

    Attributes:
        statistic: times the number of patients; 0 where it fits exactly.
        bound: what it exceeds by chance with the probability `LEVEL`.
        p_value: the probability of a statistic as large by chance.
        prevalence: of the best mixture.
    """

    statistic: float
    bound: float
    p_value: float
    prevalence: float


@dataclass(frozen=True)
class DomainShare:
    """How many of a place's images are out of domain.

    Attributes:
        share: of the images, each patient counted once.
        expected: of a place of this prevalence with images like the reference's.
        p_value: the probability of a share as large by chance.
    """

    share: float
    expected: float
    p_value: float


def fit(
    reference: Reference, place: Scores, seed: int = 7, *, replicates: int = _REPLICATES
) -> Fit:
    """Tests whether the scores are a mixture of those of the classes.

    Args:
        reference: has images of both classes.
        place: the unlabelled images.
        seed: of the drawing.
        replicates: how many places are drawn.
    """
    edges = _edges(reference)
    classes = [reference.of(label) for label in (0, 1)]
    observed = _shares(place.logits, place.patients, edges)
    normal, pneumonia = (_shares(*each, edges) for each in classes)
    patients = place.number_of_patients
    statistic, prevalence = _distance(observed, normal, pneumonia)
    generator = np.random.default_rng(seed)

    def drawn(number: int, shares: np.ndarray) -> np.ndarray:
        return generator.multinomial(number, shares / shares.sum(), replicates) / number

    of_chance, _ = _distance(
        drawn(patients, (1 - prevalence) * normal + prevalence * pneumonia),
        drawn(len(np.unique(classes[0][1])), normal),
        drawn(len(np.unique(classes[1][1])), pneumonia),
    )
    return Fit(
        float(patients * statistic),
        float(patients * np.quantile(of_chance, 1 - LEVEL)),
        _p_value(of_chance, float(statistic)),
        float(prevalence),
    )


def domain_share(
    reference: Reference, place: Scores, prevalence: float, seed: int = 7
) -> DomainShare:
    """Tests whether more images are out of domain than false alarms of the reference explain.

    A binomial test, whose rates are known from the reference's images alone: they are drawn from
    their posterior distributions, Beta(k + 1, n - k + 1) of k of n under a uniform prior.

    Args:
        reference: has images of both classes.
        place: the unlabelled images.
        prevalence: of the place; false alarms may be more frequent in one class.
        seed: of the drawing.
    """
    generator = np.random.default_rng(seed)
    rates = [
        generator.beta(flagged + 1, patients - flagged + 1, _REPLICATES)
        for flagged, patients in reference.flagged
    ]
    mixed = (1 - prevalence) * rates[0] + prevalence * rates[1]
    patients = place.number_of_patients
    share = float((weights_of(place.patients) * place.out_of_domain).sum())
    of_chance = generator.binomial(patients, mixed) / patients
    return DomainShare(share, float(mixed.mean()), _p_value(of_chance, share))


def _p_value(of_chance: np.ndarray, observed: float) -> float:
    # Sums of shares are not exact.
    return float((1 + (of_chance >= observed - 1e-12).sum()) / (1 + len(of_chance)))


def _edges(reference: Reference) -> np.ndarray:
    """Edges of ranges with about the same share each, of both classes together, equally many."""
    logits = np.concatenate([reference.of(label)[0] for label in (0, 1)])
    weights = np.concatenate([weights_of(reference.of(label)[1]) for label in (0, 1)])
    order = np.argsort(logits, kind="stable")
    cumulated = np.cumsum(weights[order]) / weights.sum()
    places = np.searchsorted(cumulated, np.linspace(0, 1, _RANGES + 1)[1:-1])
    return np.unique(logits[order][np.minimum(places, len(order) - 1)])


def _shares(logits: np.ndarray, patients: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Shares of the patients in each range between edges."""
    index = np.searchsorted(edges, logits, side="right")
    return np.bincount(index, weights_of(patients), minlength=len(edges) + 1)


def _distance(
    observed: np.ndarray, normal: np.ndarray, pneumonia: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fits the mixture to shares [..., K]; returns the statistic and the prevalence, each [...]."""
    below, of_normal, of_pneumonia = (
        np.cumsum(each, axis=-1)[..., :-1] for each in (observed, normal, pneumonia)
    )
    apart = of_pneumonia - of_normal
    squares = np.maximum((apart**2).sum(axis=-1), 1e-12)
    prevalence = np.clip((apart * (below - of_normal)).sum(axis=-1) / squares, 0, 1)
    mixed = of_normal + prevalence[..., np.newaxis] * apart
    return ((below - mixed) ** 2).mean(axis=-1), prevalence
