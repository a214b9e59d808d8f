"""Formatting of metrics on the page and the card, and the meaning of each."""

from typing import Final

from serving.analysis.findings import Estimate, Group

UNDEFINED: Final = "\u2013"
"""Shown for a metric that the data leaves undefined."""

MINUS: Final = "\u2212"
"""The true one, as wide as a plus."""

MEANINGS: Final = {
    "auc": ("AUC", "area under the ROC curve; 0.5 is chance, 1 is perfect"),
    "sensitivity": ("Sensitivity", "true-positive rate: share of PNEUMONIA predicted PNEUMONIA"),
    "specificity": ("Specificity", "true-negative rate: share of NORMAL predicted NORMAL"),
    "accuracy": ("Accuracy", "share of correct predictions at the threshold"),
    "pr_auc": ("PR-AUC", "average precision; chance is the share of PNEUMONIA"),
    "ece": ("ECE", "expected calibration error, over 10 bins of equal width; 0 is best"),
    "brier": ("Brier score", "mean squared difference between probability and label; 0 is best"),
}
"""For each metric of `Group`: its name and its meaning."""

TRIAGE_MEANINGS: Final = {
    "decided": ("Decided", "share of images called NORMAL or PNEUMONIA; the others are for review"),
    "accuracy": ("Accuracy of the decided", "share of correct labels among them"),
    "missed_pneumonia": (
        "Missed PNEUMONIA",
        "share of PNEUMONIA called NORMAL, mean over patients",
    ),
    "false_alarms": ("False alarms", "share of NORMAL called PNEUMONIA, mean over patients"),
}
"""For each figure of `Triage` with an interval: its name and its meaning."""

INTERVALS: Final = (
    "Intervals are 95 % intervals by bootstrap over patients, unless stated otherwise."
)


def figure(value: float | None, digits: int = 3) -> str:
    """A figure; a dash where it is undefined, and a true minus."""
    if value is None:
        return UNDEFINED
    text = f"{value:.{digits}f}"
    # What is rounded to nothing has no sign.
    return text.lstrip("-") if float(text) == 0 else text.replace("-", MINUS)


def signed(value: float | None) -> str:
    """A difference, always with its sign."""
    if value is None:
        return UNDEFINED
    text = figure(value)
    return text if text.startswith(MINUS) or float(text) == 0 else f"+{text}"


def interval(estimate: Estimate, *, difference: bool = False) -> str:
    """An interval, such as ``0.902 to 0.974``; empty where there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    form = signed if difference else figure
    return f"{form(estimate.low)} to {form(estimate.high)}"


def with_interval(estimate: Estimate, *, difference: bool = False) -> str:
    """A figure and its interval, such as ``0.945 (0.902 to 0.974)``."""
    form = signed if difference else figure
    span = interval(estimate, difference=difference)
    return form(estimate.value) + (f" ({span})" if span else "")


def estimate(group: Group, name: str) -> Estimate:
    """A figure of a group by its name."""
    found: Estimate = getattr(group, name)
    return found


def defined(groups: list[Group]) -> list[str]:
    """Returns the names of the metrics that at least one of the groups defines."""
    return [
        name
        for name in MEANINGS
        if any(estimate(group, name).value is not None for group in groups)
    ]
