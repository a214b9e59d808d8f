"""Weights that give each class the same share of the loss."""

from collections.abc import Sequence


def balanced(counts: Sequence[int]) -> tuple[float, ...]:
    """Weighs each class by the inverse of its share, so that the mean weight of an example is 1.

    Source: King and Zeng, "Logistic Regression in Rare Events Data" (2001), section 4.2, as
    scikit-learn's ``class_weight="balanced"`` computes it: total / (classes x count).

    Args:
        counts: examples by label.

    Returns:
        Weight by label; 0 for a class without examples.
    """
    total = sum(counts)
    return tuple(total / (len(counts) * count) if count else 0.0 for count in counts)
