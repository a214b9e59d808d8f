"""What a data scientist looks at first, from the sums that the workers made. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from components.convert.outcomes import Outcome
from components.convert.survey.leaks import leaks
from components.convert.survey.measured import Measured, Sample, bits
from components.convert.tally import Count, Mark, Tally
from serving.analysis import delong
from serving.analysis.bootstrap import CONFIDENCE
from serving.analysis.findings import Estimate
from serving.analysis.shortcuts import Quantities, quantities
from serving.images.dataset import Example, FileKind, Shortcut, Spread, Survey
from transform_module.contract import LABELS

_PERCENTILES: Final = (0, 5, 50, 95, 100)
_DIGITS: Final = 6
"""Figures are rounded, so that they are the same on every machine."""


def survey_marks(outcome: Outcome) -> Iterator[Mark]:
    """Yields how an outcome counts in the survey."""
    if outcome.split:
        look = (outcome.format, outcome.colours, bits(outcome), outcome.view)
        yield Mark(("kind", *look, outcome.label))
    if outcome.example and outcome.is_valid:
        kind, order = outcome.example
        yield Mark((kind, outcome.label), (order, outcome.index), outcome.file.filename)


def survey(tally: Tally, sample: Sample) -> Survey:
    """Describes the images of a dataset.

    Args:
        tally: of what became of each file.
        sample: measurements of the images that are in a split.
    """
    rows = sample.rows()
    kinds = tally.of("kind")
    return Survey(
        images=sum(count.number for count in kinds.values()),
        measured=len(rows),
        patients=len({row.patient for row in rows}),
        kinds=tuple(
            FileKind(
                format=form,
                colours=colours,
                bits=depth,
                view=view,
                label=label,
                images=count.number,
            )
            for (form, colours, depth, view, label), count in kinds.items()
        ),
        spreads=tuple(spreads(rows)) if rows else (),
        shortcuts=tuple(shortcuts(rows)),
        duplicates=tally["duplicates",].number,
        leaks=leaks(tally),
        examples=tuple(_examples(tally)),
    )


def spreads(rows: Sequence[Measured]) -> Iterator[Spread]:
    """Yields how the sizes are spread, and the number of images of a patient.

    Args:
        rows: measurements of at least one image.
    """
    _, images = np.unique([row.patient for row in rows], return_counts=True)
    of_all = {
        "width": [row.width for row in rows],
        "height": [row.height for row in rows],
        "aspect ratio": [row.width / row.height for row in rows],
        "file size, KB": [row.bytes / 1000 for row in rows],
        "images of a patient": images.tolist(),
    }
    for name, values in of_all.items():
        # A value that there is, and none between two.
        found = np.percentile(values, _PERCENTILES, method="closest_observation")
        least, low, middle, high, most = (round(float(value), 3) for value in found)
        yield Spread(name=name, least=least, low=low, middle=middle, high=high, most=most)


def shortcuts(rows: Sequence[Measured]) -> list[Shortcut]:
    """Measures how well each quantity separates the classes on its own.

    Intervals are of 95 %, DeLong's by patients. A kind of file is a quantity that is 1 for its
    images, and 0 for others.

    Args:
        rows: measurements of the images.

    Returns:
        The strongest first, without quantities that are the same in all images; nothing where
        there is one class.
    """
    label = np.array([row.label == LABELS[1] for row in rows], bool)
    if label.all() or not label.any():
        return []
    patient = np.array([row.patient for row in rows])
    found = []
    for name, values in _quantities(rows).items():
        if np.ptp(values) == 0:
            continue
        estimate = _auc(label, values, patient)
        found.append(
            Shortcut(
                name=name,
                normal=_middle(values[~label]),
                pneumonia=_middle(values[label]),
                auc=round(float(estimate.value or 0.0), _DIGITS),
                low=None if estimate.low is None else round(estimate.low, _DIGITS),
                high=None if estimate.high is None else round(estimate.high, _DIGITS),
            )
        )
    return sorted(found, key=lambda each: (-abs(each.auc - 0.5), each.name))


def _auc(label: np.ndarray, values: np.ndarray, patient: np.ndarray) -> Estimate:
    """Estimates the AUC of a quantity, with an interval where it separates all images, too."""
    estimate = delong.auc(label, values, patient)
    if estimate.value not in (0.0, 1.0):
        return estimate
    # Of m pairs of patients, one of each class and each in one pair, all are in order with the
    # probability AUC^m: a smaller AUC than this end would show so 2.5 times in 100 at most.
    pairs = min(len(np.unique(patient[label])), len(np.unique(patient[~label])))
    end = ((1 - CONFIDENCE) / 2) ** (1 / pairs)
    low, high = (end, 1.0) if estimate.value else (0.0, 1 - end)
    return Estimate(estimate.value, low, high)


def _quantities(rows: Sequence[Measured]) -> dict[str, np.ndarray]:
    def column(name: str) -> np.ndarray:
        return np.array([getattr(row, name) for row in rows], np.float64)

    numbers = quantities(Quantities(**{name: column(name) for name in Quantities._fields}))
    kinds = {
        f"{prefix}{value}{suffix}": np.array([getattr(row, name) == value for row in rows], float)
        for name, prefix, suffix in (
            ("format", "format ", ""),
            ("colours", "colours ", ""),
            ("bits", "", " bits"),
            ("view", "view ", ""),
        )
        for value in sorted({getattr(row, name) for row in rows} - {""})
    }
    return numbers | kinds


def _middle(values: np.ndarray) -> float:
    # Half of images of which each is of a kind or not says less than their share.
    is_share = set(np.unique(values)) <= {0.0, 1.0}
    return round(float(values.mean() if is_share else np.median(values)), _DIGITS)


def _examples(tally: Tally) -> Iterator[Example]:
    for kind in ("typical", "odd"):
        for (label,), count in tally.of(kind).items():
            yield from _shown(kind, label, count)
    for (finding,), count in tally.of("finding").items():
        yield from _shown("doubtful", finding, count)
    for (reason,), count in tally.of("reason").items():
        yield from _shown("quarantined", reason, count)


def _shown(kind: str, about: str, count: Count) -> Iterator[Example]:
    for order, path in count.examples:
        # The last number of an order is the index of the file.
        yield Example(kind=kind, about=about, number=int(order[-1]) + 1, path=path)
