"""The model card: Markdown with the metadata that Hugging Face reads.

Its sections are those of Mitchell et al. 2019, "Model Cards for Model Reporting"
(https://doi.org/10.1145/3287560.3287596).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import yaml

from components.analysis.findings import Findings, Group
from components.images.dataset import Dataset
from components.report.card_metadata import UNKNOWN_SOURCE, metadata
from components.report.context import Context
from components.report.figures import (
    INTERVALS,
    MEANINGS,
    count,
    estimate,
    figure,
    told,
    with_interval,
)
from components.report.summary import NO_MEDICAL_DEVICE
from transform_module.features import LABELS, SPLITS

CARD: Final = "card.md"
"""The file's name."""

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|~])")


def card(findings: Findings, context: Context | None = None) -> str:
    """Describes a model.

    Args:
        findings: of its evaluation.
        context: the run that made it; None where only the findings are known.

    Returns:
        Markdown.
    """
    context = context or Context()
    head = yaml.safe_dump(metadata(findings, context), sort_keys=False, allow_unicode=True)
    sections = [
        f"---\n{head}---",
        f"# {escape(findings.model)}",
        f"Tells {LABELS[1]} from {LABELS[0]} on chest X-rays. {NO_MEDICAL_DEVICE}",
        "## Model details",
        _details(findings, context),
        "## Intended use",
        "Research and engineering: to study how such models are trained, evaluated and served, and "
        "as a baseline to compare with.",
        "**Out of scope:** diagnosis, triage, or any decision about a patient; X-rays of people of "
        "another age, of other devices, projections or hospitals than those trained on; diseases "
        "other than pneumonia, which the model has never been shown; pictures that are no chest "
        "X-rays.",
        "## Factors",
        _factors(findings),
        "## Metrics",
        f"Judged on {escape(findings.data)}: "
        f"{count(findings.overall.pictures, 'picture')} of "
        f"{count(findings.overall.patients, 'patient')}, {findings.overall.positives:,} of "
        f"{LABELS[1]}. A probability of at least {figure(findings.threshold)} is told {LABELS[1]}. "
        f"{INTERVALS}",
        _overall(findings.overall),
        *_subgroups(findings),
        *_corruptions(findings),
        "## Training and evaluation data",
        _data(context),
        "## Limits and caveats",
        "\n".join(f"- {line}" for line in _caveats(findings)),
    ]
    return "\n\n".join(sections) + "\n"


def escape(text: object) -> str:
    """Text within Markdown, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def _details(findings: Findings, context: Context) -> str:
    record = findings.record
    settings, trained = record.get("settings", {}), record.get("training", {})
    calibration = settings.get("calibration")
    rows = {
        "architecture": settings.get("model"),
        "parameters": f"{trained['parameters']:,}" if "parameters" in trained else None,
        "input": "one encoded picture (JPEG, PNG, BMP or GIF), any size",
        "output": f"probability of {LABELS[1]}, label, whether the picture could be decoded, and "
        "whether it looks like those of the training",
        "calibration": calibration if calibration != "none" else None,
        "threshold": figure(findings.threshold),
        "epochs": trained.get("epochs"),
        "best epoch": trained.get("best_epoch"),
        "seed": record.get("seed"),
        "version of the training's code": record.get("code_version"),
        "fingerprint of the data": record.get("dataset_fingerprint"),
        "run": context.run or None,
        **{f"version of {key}": value for key, value in sorted(_versions(findings, context))},
    }
    return _table(("", ""), [(name, value) for name, value in rows.items() if value is not None])


def _versions(findings: Findings, context: Context) -> list[tuple[str, str]]:
    return list({**findings.record.get("versions", {}), **context.versions}.items())


def _factors(findings: Findings) -> str:
    sliced = ", ".join(escape(name) for name in findings.slices)
    judged = f"Figures are given by {sliced}. " if sliced else ""
    return (
        f"{judged}Age, sex, device and projection of the pictures are not known to the pipeline, "
        "so nothing is told about them."
    )


def _overall(group: Group) -> str:
    rows = [
        (name, with_interval(estimate(group, key)), meaning)
        for key, (name, meaning) in MEANINGS.items()
        if key in told([group])
    ]
    return _table(("figure", "value (95 % interval)", "meaning"), rows)


def _subgroups(findings: Findings) -> Iterator[str]:
    for dimension, groups in findings.slices.items():
        names = told(groups)
        yield f"**By {escape(dimension)}**"
        yield _table(
            ("group", "pictures", "patients", *(MEANINGS[name][0] for name in names)),
            [
                (
                    group.name,
                    f"{group.pictures:,}",
                    f"{group.patients:,}",
                    *(with_interval(estimate(group, name)) for name in names),
                )
                for group in groups
            ],
        )


def _corruptions(findings: Findings) -> Iterator[str]:
    if not findings.corruptions:
        return
    kinds = list(dict.fromkeys(each.kind for each in findings.corruptions))
    strengths = sorted({each.strength for each in findings.corruptions})
    auc = {(each.kind, each.strength): each.auc for each in findings.corruptions}
    yield "**AUC of corrupted pictures, by strength**"
    yield _table(
        ("corruption", *map(str, strengths)),
        [(kind, *(figure(auc.get((kind, each))) for each in strengths)) for kind in kinds],
    )


def _data(context: Context) -> str:
    parts = []
    if source := context.source:
        parts.append(f"{source.name}. {source.description}")
        if source.citation:
            parts.append(f"Source: {source.citation}" + (f", {source.url}." if source.url else "."))
        if source.licence:
            parts.append(f"Licence: {source.licence}.")
    else:
        parts.append(
            f"{UNKNOWN_SOURCE}; where they come from and what may be done with them is for their "
            "owner to tell here."
        )
    text = " ".join(parts)
    return f"{text}\n\n{_splits(context.dataset)}" if context.dataset else text


def _splits(dataset: Dataset) -> str:
    table = _table(
        ("split", *LABELS, "patients"),
        [
            (
                split,
                *(f"{dataset.pictures(split, label):,}" for label in LABELS),
                f"{sum(each.patients for each in dataset.splits if each.split == split):,}",
            )
            for split in SPLITS
        ],
    )
    kept_out = sum(dataset.quarantine_reasons.values())
    return (
        f"{table}\n\nThe model learns from train; epoch, calibration and threshold are chosen on "
        f"eval; test is judged. No patient stands in two splits. Kept out as of no use: "
        f"{count(kept_out, 'file')}."
    )


def _caveats(findings: Findings) -> Iterator[str]:
    yield "It is no medical device; no clinical study stands behind it."
    yield (
        "The figures hold for pictures like those judged. On X-rays of other hospitals, devices or "
        "ages expect worse ones, down to chance."
    )
    yield (
        "A probability is calibrated on eval, where PNEUMONIA is as frequent as in this data "
        f"({findings.overall.positives / max(findings.overall.pictures, 1):.0%} of what is judged "
        "here); where it is rarer, as among patients, the probabilities are too high."
    )
    yield (
        "Labels of public chest X-rays hold mistakes, and a model can follow what says nothing "
        "about lungs, such as the size of a file."
    )
    yield from map(escape, findings.notes)
    if findings.invalid:
        yield f"{count(findings.invalid, 'picture')} could not be decoded and stand in no figure."


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
