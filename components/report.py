"""Report: writes the report page and the model card; it never fails a run."""

import dataclasses
import logging
from pathlib import Path
from typing import Final

from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import Artifact, standard_artifacts
from tfx.types.standard_artifacts import Examples, InfraBlessing, ModelEvaluation, ModelRun
from tfx.utils import path_utils

from components.artifacts import example_images
from components.artifacts.local_copies import local_copies
from components.baseline.fit import first_line
from components.evaluator.evaluation import REASONS, Evaluation, read_evaluation
from components.evaluator.predictions import read
from components.hashed import hashed
from components.serving_check.settings import REPORT as SERVING_CHECK
from serving.analysis import compute
from serving.analysis.drift import drift
from serving.analysis.findings import FINDINGS, Findings, to_json
from serving.analysis.predicted import table
from serving.evaluate.changed import choose, predict_changed
from serving.evaluate.evaluation_findings import trained_on
from serving.model import Model, read_record
from serving.report import reading, sources
from serving.report.card import CARD, card
from serving.report.context import CONTEXT, Context, ShownImage, Verdict
from serving.report.page import PAGE, page
from serving.report.privacy import anonymous
from serving.report.sections.misses import SHOWN
from serving.report.settings import ReportSettings
from serving.report.thumbnails import thumbnails
from transform_module.contract import TEST

REASON: Final = "reason"
"""Custom property of the report: why there is none, or an empty string."""

_LOG = logging.getLogger(__name__)


@hashed
@component
def Report(
    examples: InputArtifact[Examples],
    model: InputArtifact[standard_artifacts.Model],
    model_run: InputArtifact[ModelRun],
    evaluation: InputArtifact[ModelEvaluation],
    infra_blessing: InputArtifact[InfraBlessing],
    report: OutputArtifact[ModelEvaluation],
    settings: Parameter[str],
    model_name: Parameter[str],
    dataset: Parameter[str],
    source: Parameter[str],
    page: Parameter[int],
) -> None:
    """Computes the findings from the Evaluator's predictions and writes the report of a model.

    It succeeds even if no report can be written. No component may depend on it, so that none waits
    for it.

    Args:
        examples: examples with the split ``test``, as they are before Transform.
        model: the model to report on.
        model_run: the logs of its training.
        evaluation: the output of Evaluator.
        infra_blessing: the output of ServingCheck or TFX's InfraValidator.
        report: gets ``findings.json``, ``context.json`` and, where they are rendered, ``page.html``
            and ``card.md``; or nothing, and the property `REASON`.
        settings: what the report shows, ReportSettings as JSON.
        model_name: the model's name in URLs.
        dataset: the folder that a conversion wrote; its records may be absent.
        source: the images' source, a key of `SOURCES`; empty if it is not known.
        page: 1 where page and card are rendered here; a run on this machine renders them at its
            end, with what is known only then.
    """
    reason = ""
    try:
        inputs = (model, model_run, evaluation, infra_blessing)
        with local_copies(inputs=inputs, outputs=(report,)):
            chosen = ReportSettings.model_validate_json(settings)
            outcome = read_evaluation(evaluation.uri)
            found, shown = _found(
                examples, model, evaluation, model_name, chosen, outcome.threshold
            )
            context = Context(
                verdict=_verdict(outcome, infra_blessing),
                source=sources.source(source, chosen),
                dataset=reading.dataset(dataset),
                quarantine=tuple(reading.quarantine(dataset)),
                histories=tuple(reading.histories(model_run.uri)),
                images=shown,
                filenames=chosen.filenames,
                serving=reading.serving(f"{infra_blessing.uri}/{SERVING_CHECK}"),
                versions=reading.versions(),
            )
            if not chosen.filenames:
                found, context = anonymous(found, context)
            _write(Path(report.uri), found, context, is_rendered=bool(page))
    except Exception as error:  # noqa: BLE001 - whatever it is, it may not stop the run.
        reason = first_line(error)
        _LOG.warning("There is no report: %s.", reason.rstrip("."), exc_info=True)
        # TFX's cache takes no artifact whose folder is gone, so that the next run tries again.
        if fileio.exists(report.uri):
            fileio.rmtree(report.uri)
    report.set_string_custom_property(REASON, reason)


def _write(folder: Path, found: Findings, context: Context, *, is_rendered: bool) -> None:
    texts = {FINDINGS: to_json(found), CONTEXT: context.model_dump_json(indent=2) + "\n"}
    if is_rendered:
        texts |= {CARD: card(found, context), PAGE: page(found, context)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _found(
    examples: Artifact,
    model: Artifact,
    evaluation: Artifact,
    name: str,
    settings: ReportSettings,
    threshold: float,
) -> tuple[Findings, dict[str, ShownImage]]:
    """Returns the findings and the worst errors' images, for which alone the model is loaded."""
    version = Path(path_utils.serving_model_path(model.uri))
    predictions = read(evaluation, model, examples)
    models, images = predictions.models, predictions.images
    predicted = table(images)
    found = compute.findings(
        predicted,
        model=name,
        record=read_record(version),
        data=f"the split {TEST}",
        threshold=threshold,
        drift=drift(trained_on(version), predicted),
        other=compute.other(images, f"{name}/{models.baseline_version}", models.baseline_threshold),
    )
    sample = choose({each.path: each.label for each in images if each.valid}, settings.corruptions)
    worst = (
        [miss.path for miss in found.misses[:SHOWN]] if settings.pictures == "thumbnails" else []
    )
    if not {*sample, *worst}:
        return found, {}
    contents = example_images.contents(examples, {*sample, *worst})
    loaded = Model(version)
    changed = predict_changed(
        loaded.predict,
        [(path, is_ill, contents[path]) for path, is_ill in sample.items()],
        threshold,
    )
    found = dataclasses.replace(found, corruptions=changed.corruptions, shifts=changed.shifts)
    return found, thumbnails({path: contents[path] for path in worst}, loaded)


def _verdict(evaluation: Evaluation, infra_blessing: Artifact) -> Verdict:
    served = bool(infra_blessing.get_int_custom_property("blessed"))
    reasons = [
        *evaluation.reasons,
        *infra_blessing.get_string_custom_property(REASONS).splitlines(),
    ]
    if not served and not reasons:
        reasons.append("the check before the push failed without a reason")
    return Verdict(
        blessed=evaluation.blessed and served, reasons=tuple(reasons), notes=tuple(evaluation.notes)
    )
