"""The model card: Markdown with the metadata that Hugging Face reads.

Its sections are those of Mitchell et al. 2019, "Model Cards for Model Reporting"
(https://doi.org/10.1145/3287560.3287596).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import yaml

from serving.analysis.corruptions import mean_balanced_error
from serving.analysis.findings import Findings, Group
from serving.images.dataset import Dataset
from serving.report.card_metadata import metadata
from serving.report.context import Context
from serving.report.drawing.figure_text import (
    INTERVALS,
    MEANINGS,
    TRIAGE_MEANINGS,
    defined,
    estimate,
    figure,
    with_interval,
)
from serving.report.sections.summary import NO_MEDICAL_DEVICE
from serving.report.sources import data_licence, data_source
from transform_module.contract import LABELS, REVIEW, SPLITS
from transform_module.text import count

CARD: Final = "card.md"
"""The file's name."""

_SNIPPETS: Final = """\
`pushed/NAME` is the folder to which the pipeline pushed the model, below the run's `--root`.

```sh
cxr predict pushed/NAME xray.jpeg
```

With TensorFlow Serving, or with `cxr serve pushed/NAME`, over REST:

```sh
curl -s http://localhost:8501/v1/models/NAME:predict \\
  -d "{\\"instances\\": [{\\"b64\\": \\"$(base64 < xray.jpeg | tr -d '\\n')\\"}]}"
```

In Keras, as a layer (`keras.models.load_model` does not read a SavedModel):

```python
import keras
import tensorflow as tf

layer = keras.layers.TFSMLayer("pushed/NAME/VERSION", call_endpoint="serving_default")
prediction = layer(tf.stack([tf.io.read_file("xray.jpeg")]))
print(prediction["probability"].numpy(), prediction["label"].numpy())
```"""

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
        f"Classifies chest X-rays as {LABELS[1]} or {LABELS[0]}. {NO_MEDICAL_DEVICE}",
        "## Model details",
        _details(findings, context),
        "## How to get started",
        snippets(findings.model),
        "## Licence",
        f"Code of the pipeline: MIT. Data: {escape(data_licence(context))} The licence of the "
        "trained weights is not stated: whoever publishes the model decides it, within the terms "
        "of the data.",
        "## Intended use",
        "Research and engineering: to study how such models are trained, evaluated and served, and "
        "as a baseline for comparison.",
        "**Out of scope:** diagnosis, triage of patients, or any decision about a patient; X-rays "
        "of patients of another age, or from other devices, projections or hospitals than the "
        "training data; diseases other than pneumonia, for which the model was not trained; images "
        "other than chest X-rays.",
        "## Factors",
        _factors(findings),
        "## Metrics",
        f"Evaluated on {escape(findings.data)}: "
        f"{count(findings.overall.images, 'image')} of "
        f"{count(findings.overall.patients, 'patient')}, {findings.overall.positives:,} of "
        f"{LABELS[1]}. {LABELS[1]} is predicted from a probability of "
        f"{figure(findings.threshold)}. {INTERVALS}",
        _overall(findings.overall),
        *_triage(findings),
        *_subgroups(findings),
        *_shifts(findings),
        *_corruptions(findings),
        "## Training and evaluation data",
        _data(context),
        "## Limitations and ethical considerations",
        "\n".join(f"- {line}" for line in _caveats(findings)),
    ]
    return "\n\n".join(sections) + "\n"


def snippets(model: str) -> str:
    """Returns commands and code that predict with a pushed model.

    Args:
        model: its name, with its version where it was pushed.

    Returns:
        Markdown.
    """
    name, _, version = model.partition("/")
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return _SNIPPETS.replace("NAME", name).replace("VERSION", version or "1")


def escape(text: object) -> str:
    """Escapes text for Markdown, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def _details(findings: Findings, context: Context) -> str:
    record = findings.record
    settings, trained = record.get("settings", {}), record.get("training", {})
    calibration = settings.get("calibration")
    rows = {
        "architecture": settings.get("model"),
        "parameters": f"{trained['parameters']:,}" if "parameters" in trained else None,
        "input": "one encoded image (JPEG, PNG, BMP or GIF), any size",
        "output": f"probability of {LABELS[1]}, label, whether the image could be decoded "
        "(valid), whether it resembles the training data (in_domain), and triage: "
        f"{LABELS[0]}, {REVIEW} or {LABELS[1]}",
        "calibration": calibration if calibration != "none" else None,
        "threshold": figure(findings.threshold),
        "epochs": trained.get("epochs"),
        "best epoch": trained.get("best_epoch"),
        "seed": record.get("seed"),
        "trainer code version": record.get("code_version"),
        "data fingerprint": record.get("dataset_fingerprint"),
        "run": context.run or None,
        **{f"version of {key}": value for key, value in sorted(_versions(findings, context))},
    }
    return _table(("", ""), [(name, value) for name, value in rows.items() if value is not None])


def _versions(findings: Findings, context: Context) -> list[tuple[str, str]]:
    return list({**findings.record.get("versions", {}), **context.versions}.items())


def _factors(findings: Findings) -> str:
    sliced = ", ".join(escape(name) for name in findings.slices)
    reported = f"Metrics are reported by {sliced}. " if sliced else ""
    return (
        f"{reported}Age, sex, device and projection are unknown to the pipeline, so there are no "
        "metrics by them."
    )


def _overall(group: Group) -> str:
    rows = [
        (name, with_interval(estimate(group, key)), meaning)
        for key, (name, meaning) in MEANINGS.items()
        if key in defined([group])
    ]
    return _table(("metric", "value (95 % interval)", "meaning"), rows)


def _triage(findings: Findings) -> Iterator[str]:
    found = findings.triage
    if found is None:
        return
    allowed = findings.record.get("triage", {})
    yield (
        f"**Triage** of the images, not of patients; {found.review:,} of "
        f"{count(found.images, 'image')} are {REVIEW}"
    )
    yield _table(
        ("figure", "value (95 % interval)", "at most", "meaning"),
        [
            (name, with_interval(getattr(found, key)), figure(allowed.get(key)), meaning)
            for key, (name, meaning) in TRIAGE_MEANINGS.items()
        ],
    )


def _subgroups(findings: Findings) -> Iterator[str]:
    for dimension, groups in findings.slices.items():
        names = defined(groups)
        yield f"**By {escape(dimension)}**"
        yield _table(
            ("group", "images", "patients", *(MEANINGS[name][0] for name in names)),
            [
                (
                    group.name,
                    f"{group.images:,}",
                    f"{group.patients:,}",
                    *(with_interval(estimate(group, name)) for name in names),
                )
                for group in groups
            ],
        )


def _shifts(findings: Findings) -> Iterator[str]:
    if findings.shifts:
        yield "**On images as other places take them** (test images, changed so)"
        yield _table(
            ("shift", "AUC", "sensitivity", "specificity"),
            [
                (each.kind, *map(figure, (each.auc, each.sensitivity, each.specificity)))
                for each in findings.shifts
            ],
        )


def _corruptions(findings: Findings) -> Iterator[str]:
    if not findings.corruptions:
        return
    kinds = list(dict.fromkeys(each.kind for each in findings.corruptions))
    strengths = sorted({each.strength for each in findings.corruptions})
    auc = {(each.kind, each.strength): each.auc for each in findings.corruptions}
    error = figure(mean_balanced_error(findings.corruptions))
    yield f"**AUC of corrupted images (MedMNIST-C), by strength**; mean balanced error {error}"
    yield _table(
        ("corruption", *map(str, strengths)),
        [
            (kind.replace("_", " "), *(figure(auc.get((kind, each))) for each in strengths))
            for kind in kinds
        ],
    )


def _data(context: Context) -> str:
    text = escape(data_source(context))
    return f"{text}\n\n{_splits(context.dataset)}" if context.dataset else text


def _splits(dataset: Dataset) -> str:
    table = _table(
        ("split", *LABELS, "patients"),
        [
            (
                split,
                *(f"{dataset.images(split, label):,}" for label in LABELS),
                f"{sum(each.patients for each in dataset.splits if each.split == split):,}",
            )
            for split in SPLITS
        ],
    )
    quarantined = sum(dataset.quarantine_reasons.values())
    return (
        f"{table}\n\nThe model is trained on train; epoch, calibration and threshold are chosen on "
        "eval; the metrics are measured on test. No patient is in two splits. Quarantined: "
        f"{count(quarantined, 'file')}."
    )


def _caveats(findings: Findings) -> Iterator[str]:
    yield "The model is not a medical device and has not been validated in a clinical study."
    yield (
        "The metrics apply to images like those evaluated. On X-rays of other hospitals, devices "
        "or ages expect lower ones, down to chance."
    )
    yield (
        "Probabilities are calibrated on eval, where PNEUMONIA is as frequent as in this data "
        f"({findings.overall.positives / max(findings.overall.images, 1):.0%} of the images "
        "evaluated here). Where it is rarer, as in a clinic, they are too high."
    )
    if findings.triage:
        yield (
            "The error rates of triage hold on average for patients like those of eval, not for "
            "those of another place, nor for each group of patients. The model has not been "
            "validated for leaving any image unread."
        )
    yield (
        "Labels of public chest X-rays contain errors, and a model can use quantities unrelated to "
        "the lungs, such as the file size, as a shortcut."
    )
    yield (
        "in_domain detects many unsuitable images, not all of them: an X-ray of an adult may pass. "
        "The heat map shows which regions contributed to the prediction; it does not outline a "
        "disease."
    )
    yield (
        "Errors may be unequal between groups of patients that the data does not identify. Before "
        "any study with patients, obtain ethical approval, and evaluate the model on the patients "
        "concerned."
    )
    yield from map(escape, findings.notes)
    if findings.invalid:
        yield f"{count(findings.invalid, 'image')} could not be decoded and are in no metric."


def _table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
