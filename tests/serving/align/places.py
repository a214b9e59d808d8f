"""Places whose prevalence is known: scores of both classes, drawn as those of a trained network."""

import numpy as np

from serving.align.scores import Reference, Scores

PRIOR = 0.74


def logits(labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Calibrated logits under PRIOR: of two normal distributions with one variance d^2 = 2 d m.

    With the means -m and m around the middle and the variance v the logit of the probability is
    linear in the score, ``2 m x / v + logit(PRIOR)``, hence calibrated; here v = 2 m.
    """
    m = 3.0
    score = np.where(labels == 1, m, -m) + np.sqrt(2 * m) * generator.standard_normal(len(labels))
    return score + np.log(PRIOR / (1 - PRIOR))


def reference(generator: np.random.Generator, patients: int = 650) -> Reference:
    """One image each, of which 5 % were taken for out of domain."""
    labels = (generator.random(patients) < PRIOR).astype(int)
    flagged = tuple((0.05 * n, n) for n in (int((labels == 0).sum()), int(labels.sum())))
    return Reference(logits(labels, generator), labels, np.arange(patients), flagged)


def place(
    generator: np.random.Generator, prevalence: float, patients: int = 400, images: int = 1
) -> Scores:
    """Images of a place, equally many of each patient, 5 % of them out of domain."""
    label = (generator.random(patients) < prevalence).astype(int)
    whose = np.repeat(np.arange(patients), images)
    return Scores(logits(label[whose], generator), whose, generator.random(len(whose)) < 0.05)
