"""Report: writes the report page and the model card; it never fails a run."""

import dataclasses
import logging
from pathlib import Path
from typing import Any, Final

from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.dsl.io import fileio
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import artifact_utils, component_spec, standard_artifacts
from tfx.utils import path_utils

from components.artifacts import example_images
from components.artifacts.local_copies import local_copies
from components.baseline.fit import first_line
from components.code_version import code_version
from components.evaluator.evaluation import REASONS, Evaluation, read_evaluation
from components.evaluator.predictions import read
from components.serving_check.component import REPORT as SERVING_CHECK
from serving.analysis import compute
from serving.analysis.drift import drift
from serving.analysis.findings import FINDINGS, Findings, to_json
from serving.analysis.predicted import table
from serving.evaluate.corrupting import choose, predict_corrupted
from serving.evaluate.evaluation_findings import trained_on
from serving.model import Model, read_record
from serving.report import reading
from serving.report.card import CARD, card
from serving.report.context import CONTEXT, Context, ShownImage, Verdict
from serving.report.page import PAGE, page
from serving.report.privacy import anonymous
from serving.report.sections.misses import SHOWN
from serving.report.settings import ReportSettings
from serving.report.sources import source
from serving.report.thumbnails import thumbnails
from transform_module.contract import TEST

REASON: Final = "reason"
"""Custom property of the report: why there is none, or an empty string."""

_LOG = logging.getLogger(__name__)


class ReportSpec(component_spec.ComponentSpec):
    """The inputs, outputs and parameters of a Report."""

    PARAMETERS = {  # noqa: RUF012
        "settings": component_spec.ExecutionParameter(type=str),
        "model_name": component_spec.ExecutionParameter(type=str),
        "dataset": component_spec.ExecutionParameter(type=str),
        "source": component_spec.ExecutionParameter(type=str),
        "page": component_spec.ExecutionParameter(type=int),
        "code": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "model_run": component_spec.ChannelParameter(type=standard_artifacts.ModelRun),
        "evaluation": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "infra_blessing": component_spec.ChannelParameter(type=standard_artifacts.InfraBlessing),
    }
    OUTPUTS = {  # noqa: RUF012
        "report": component_spec.ChannelParameter(type=standard_artifacts.ModelEvaluation),
    }


class Executor(base_executor.BaseExecutor):
    """Computes the findings from the Evaluator's predictions and writes the report."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Runs the component. It succeeds even if no report can be written.

        Args:
            input_dict: as the component's inputs, one artifact each.
            output_dict: ``report`` gets ``findings.json``, ``context.json`` and, where they are
                rendered, ``page.html`` and ``card.md``; or nothing, and the property `REASON`.
            exec_properties: as the component's parameters.
        """
        inputs = {name: artifact_utils.get_single_instance(input_dict[name]) for name in input_dict}
        report = artifact_utils.get_single_instance(output_dict["report"])
        reason = ""
        try:
            read = [artifact for name, artifact in inputs.items() if name != "examples"]
            with local_copies(inputs=read, outputs=(report,)):
                _write(inputs, Path(report.uri), exec_properties)
        except Exception as error:  # noqa: BLE001 - whatever it is, it may not stop the run.
            reason = first_line(error)
            _LOG.warning("There is no report: %s.", reason.rstrip("."), exc_info=True)
            # TFX's cache takes no artifact whose folder is gone, so that the next run tries again.
            if fileio.exists(report.uri):
                fileio.rmtree(report.uri)
        report.set_string_custom_property(REASON, reason)


class Report(base_component.BaseComponent):
    """Writes the page and the card of a model.

    No component may depend on it, so that none waits for it.
    """

    SPEC_CLASS = ReportSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        model_run: types.BaseChannel,
        evaluation: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        settings: ReportSettings,
        model_name: str,
        dataset: str | RuntimeParameter,
        source: str = "",
        *,
        page: bool,
    ) -> None:
        """Constructs the component.

        Args:
            examples: Examples with the split ``test``, as they are before Transform.
            model: The model to report on.
            model_run: The logs of its training.
            evaluation: The output of Evaluator.
            infra_blessing: The output of ServingCheck or TFX's InfraValidator.
            settings: What the report shows.
            model_name: The model's name in URLs.
            dataset: The folder that a conversion wrote; its records may be absent.
            source: The images' source, a key of `SOURCES`; empty if it is not known.
            page: Whether page and card are rendered here; a run on this machine renders them at its
                end, with what is known only then.
        """
        super().__init__(
            spec=ReportSpec(
                examples=examples,
                model=model,
                model_run=model_run,
                evaluation=evaluation,
                infra_blessing=infra_blessing,
                settings=settings.model_dump_json(),
                model_name=model_name,
                dataset=dataset,
                source=source,
                page=int(page),
                code=code_version(__name__),
                report=types.Channel(type=standard_artifacts.ModelEvaluation),
            )
        )


def _write(inputs: dict[str, types.Artifact], out: Path, properties: dict[str, Any]) -> None:
    settings = ReportSettings.model_validate_json(properties["settings"])
    evaluation = read_evaluation(inputs["evaluation"].uri)
    found, shown = _found(inputs, properties["model_name"], settings, evaluation.threshold)
    context = Context(
        verdict=_verdict(evaluation, inputs["infra_blessing"]),
        source=source(properties["source"], settings),
        dataset=reading.dataset(properties["dataset"]),
        quarantine=tuple(reading.quarantine(properties["dataset"])),
        histories=tuple(reading.histories(inputs["model_run"].uri)),
        images=shown,
        filenames=settings.filenames,
        serving=reading.serving(f"{inputs['infra_blessing'].uri}/{SERVING_CHECK}"),
        versions=reading.versions(),
    )
    if not settings.filenames:
        found, context = anonymous(found, context)
    texts = {FINDINGS: to_json(found), CONTEXT: context.model_dump_json(indent=2) + "\n"}
    if properties["page"]:
        texts |= {CARD: card(found, context), PAGE: page(found, context)}
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")


def _found(
    inputs: dict[str, types.Artifact], name: str, settings: ReportSettings, threshold: float
) -> tuple[Findings, dict[str, ShownImage]]:
    """Returns the findings and the worst errors' images, for which alone the model is loaded."""
    version = Path(path_utils.serving_model_path(inputs["model"].uri))
    predictions = read(inputs["evaluation"], inputs["model"], inputs["examples"])
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
    contents = example_images.contents(inputs["examples"], {*sample, *worst})
    model = Model(version)
    corrupted = predict_corrupted(
        model.predict,
        [(path, is_ill, contents[path]) for path, is_ill in sample.items()],
        threshold,
    )
    found = dataclasses.replace(found, corruptions=corrupted)
    return found, thumbnails({path: contents[path] for path in worst}, model)


def _verdict(evaluation: Evaluation, infra_blessing: types.Artifact) -> Verdict:
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
