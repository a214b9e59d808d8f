"""The section about the training."""

from typing import Any, Final

from serving.analysis.findings import Findings
from serving.report.context import Context
from serving.report.drawing.drawings import epochs
from serving.report.drawing.figure_text import figure
from serving.report.drawing.html_tables import note, pairs, plot, section
from serving.report.drawing.markup import Markup, element

_CURVES: Final = {
    "loss": ("Loss", "binary cross-entropy", float("inf")),
    "auc": ("AUC", "area under the ROC curve", 1.0),
}


def training(findings: Findings, context: Context) -> Markup:
    """Returns the metrics by epoch and the settings of the training."""
    record: dict[str, Any] = findings.record.get("training", {})
    best = record.get("best_epoch")
    drawn = [
        plot(
            name,
            epochs(
                f"{name} by epoch, on train and on eval",
                lines,
                best=best,
                y_label=meaning,
                most=most,
            ),
        )
        for key, (name, meaning, most) in _CURVES.items()
        for lines in [_lines(context, key)]
        if lines
    ]
    legend = note(
        _entry("train", "train, augmented"),
        _entry("eval", "eval"),
        _entry("best", f"best epoch: {best}") if best else None,
        " Each member has its own lines." if len(context.histories) > 1 else None,
    )
    return section(
        "training",
        "Training",
        pairs(_settings(findings)) if record else None,
        legend if drawn else None,
        element("div", *drawn, class_="two") if drawn else None,
    )


def _entry(style: str, text: str) -> Markup:
    return element("span", element("span", class_=f"key {style}"), text, class_="entry")


def _lines(context: Context, key: str) -> list[tuple[str, list[tuple[int, float]]]]:
    return [
        (style, values)
        for history in context.histories
        for style, name in (("train line", key), ("line", f"val_{key}"))
        if (
            values := [
                (number, epoch[name])
                for number, epoch in enumerate(history, start=1)
                if name in epoch
            ]
        )
    ]


def _settings(findings: Findings) -> list[tuple[str, str]]:
    record = findings.record
    trained, settings = record["training"], record.get("settings", {})
    found: dict[str, Any] = {
        "Model": settings.get("model"),
        "Parameters": _counted(trained.get("parameters")),
        "Members": len(trained.get("members", ())) or None,
        "Epochs": trained.get("epochs"),
        "Best epoch by": settings.get("monitor"),
        "Training images": _counted(trained.get("train_pictures")),
        "Batch size": settings.get("batch_size"),
        "Learning rate": settings.get("learning_rate"),
        "Calibration": settings.get("calibration"),
        "Seed": record.get("seed"),
        "Warning": "; ".join(record.get("warnings", ())) or None,
    }
    found |= {
        f"{name.capitalize()} on eval": figure(value)
        for name in ("sensitivity", "specificity")
        if (value := record.get("operating_point", {}).get(f"eval_{name}")) is not None
    }
    return [(name, str(value)) for name, value in found.items() if value is not None]


def _counted(number: int | None, noun: str = "") -> str | None:
    return None if number is None else f"{number:,}{noun}"
