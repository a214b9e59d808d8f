"""The report of a finished run: what the component Report found, with what is known only now."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.component_ids import REPORT
from pipeline.root.root import Root
from pipeline.run_records.run_record import ComponentRecord, ReportRecord, RunRecord
from serving.analysis import findings
from serving.files.local_paths import source_of
from serving.images.dataset import Dataset
from serving.report.card import card
from serving.report.context import CONTEXT, Context, Step
from serving.report.page import page
from serving.report.privacy import without_patients
from serving.report.sections.data import LISTED
from serving.report.thumbnails import kept_out
from transform_module.errors import UserError

_LOG = logging.getLogger(__name__)


def finish(record: RunRecord, root: Root) -> None:
    """Writes the page and the card of a run, and adds their places to its record.

    A report that cannot be written costs the run nothing: the record has the reason.

    Args:
        record: of a run whose components have ended well.
        root: where it ran.
    """
    component = record.component(REPORT)
    if component is None or (record.report and record.report.reason):
        return
    try:
        record.report = _write(record, root, Path(component.outputs["report"][0]))
    except (OSError, KeyError, UserError, ValidationError) as error:
        _LOG.warning("The report cannot be written.", exc_info=True)
        record.report = ReportRecord(reason=str(error))


def _write(record: RunRecord, root: Root, made: Path) -> ReportRecord:
    # These import TensorFlow, which is there by now.
    from components.artifacts.shared_record import without_places
    from serving.report import reading

    found = findings.read(made / findings.FINDINGS)
    context = Context.model_validate_json((made / CONTEXT).read_bytes())
    names = context.filenames
    quarantine = tuple(reading.quarantine(str(root.dataset))) if names else ()
    dataset = Dataset.load(root.dataset)
    update: dict[str, Any] = {
        "run": record.id,
        # The component may come from the cache, and what it read of the data be of another run.
        "dataset": dataset if names else without_patients(dataset),
        "quarantine": quarantine,
        "configuration": record.config if names else without_places(record.config),
        "steps": tuple(
            Step(
                name=step.name,
                seconds=step.seconds,
                peak_gigabytes=step.peak_memory / 1e9,
                state=step.state if isinstance(step, ComponentRecord) else "",
            )
            for step in (*record.steps, *record.components)
        ),
    }
    if record.push and record.push.pushed:
        found = dataclasses.replace(found, model=f"{found.model}/{record.push.version}")
        if context.verdict:
            update["verdict"] = context.verdict.model_copy(update={"pushed": record.push.version})
    if record.config["report"]["pictures"] == "thumbnails":
        listed = (each.path for each in quarantine[:LISTED])
        images = source_of(record.images, "The image folder")
        update["images"] = context.images | kept_out(listed, images)
    context = context.model_copy(update=update)
    place, card_place = root.page(record.id), root.card(record.id)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(page(found, context), encoding="utf-8")
    card_place.write_text(card(found, context), encoding="utf-8")
    return ReportRecord(page=str(place), card=str(card_place))
