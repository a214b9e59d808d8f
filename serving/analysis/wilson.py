"""The interval of a share."""

import math
from typing import Final

from serving.analysis.findings import Estimate

NORMAL_QUANTILE: Final = 1.959963984540054
"""The standard normal distribution has 95 % within this distance of 0."""


def wilson(successes: float, trials: float) -> Estimate:
    """A share with Wilson's score interval (1927, https://doi.org/10.2307/2276774).

    It holds near 0 and 1, where other intervals shrink to nothing. The trials are taken for
    independent: patients are, images of one patient are not.

    Args:
        successes: 0 to ``trials``.
        trials: at least 0.

    Returns:
        The share; nothing of no trials.
    """
    if not trials:
        return Estimate()
    share, z = successes / trials, NORMAL_QUANTILE
    scale = 1 + z**2 / trials
    centre = (share + z**2 / (2 * trials)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    # Rounding must not part a share of 0 or 1 from its end.
    return Estimate(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))
