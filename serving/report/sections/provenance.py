"""Provenance and cost of a model: serving, times, configuration, versions."""

import json
from collections.abc import Mapping
from typing import Any

from serving.analysis.findings import Findings
from serving.report.context import Context
from serving.report.drawing.drawings import bar
from serving.report.drawing.html_tables import pairs, section, table
from serving.report.drawing.markup import Markup, element


def serving(context: Context) -> Markup:
    """Returns the measurements of the check before the push."""
    if not context.serving:
        return Markup()
    measured = context.serving
    return section(
        "serving",
        "Serving",
        pairs(
            [
                ("Images in requests", f"{measured.images:,}"),
                ("Median latency, one image", f"{measured.latency_ms:.1f} ms"),
                ("Memory", f"{measured.memory_gib:.2f} GiB"),
                ("Ready after", f"{measured.load_seconds:.1f} s"),
            ]
        ),
    )


def times(context: Context) -> Markup:
    """Returns the time and memory of each step of the run."""
    total = sum(step.seconds for step in context.steps)
    if not total:
        return Markup()
    return section(
        "times",
        "Times",
        table(
            "Steps of the run",
            ("step", "seconds", "share", "", "peak GB", "state"),
            [
                (
                    step.name,
                    f"{step.seconds:.1f}",
                    f"{step.seconds / total:.0%}",
                    bar(step.seconds / total),
                    f"{step.peak_gigabytes:.1f}",
                    step.state,
                )
                for step in context.steps
            ],
            left=(0, 5),
        ),
    )


def origin(findings: Findings, context: Context) -> Markup:
    """Returns the configuration, and the versions of packages and code."""
    record = findings.record
    versions = {**record.get("versions", {}), **context.versions}
    known = {
        "Data fingerprint": record.get("dataset_fingerprint"),
        "Trainer code version": record.get("code_version"),
    }
    chosen = context.configuration or record.get("settings", {})
    rows = [(key, element("code", _value(value))) for key, value in _flat(chosen)]
    return section(
        "origin",
        "Configuration and versions",
        pairs([(name, element("code", value)) for name, value in known.items() if value]),
        pairs(sorted(versions.items())),
        element(
            "details",
            element("summary", "Configuration" if context.configuration else "Training settings"),
            table("Configuration", ("key", "value"), rows, left=(0, 1)),
        )
        if rows
        else None,
    )


def _flat(content: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            found += _flat(value, f"{prefix}{key}.")
        else:
            found.append((f"{prefix}{key}", value))
    return found


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
