"""One run: images to examples where they changed, then the pipeline, then what came of it."""

import contextlib
import itertools
import json
import logging
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Literal

from pipeline.cli.output.display import Display
from pipeline.component_ids import EVALUATOR, PUSHER, REPORT, TRAINER
from pipeline.config.config import Config
from pipeline.root.root import Root
from pipeline.root.root_lock import root_lock
from pipeline.root.store_lock import require_unlocked
from pipeline.run import final_report
from pipeline.run.component_progress import ComponentProgress, warnings_to, watching
from pipeline.run.examples import examples
from pipeline.run.failure import explain
from pipeline.run.memory import PeakMemory
from pipeline.run.preflight import data_counts
from pipeline.run_records import run_record, tensorboard, timeline
from pipeline.run_records.recorder import Recorder
from pipeline.run_records.run_record import (
    ComponentRecord,
    PushRecord,
    ReportRecord,
    RunRecord,
    TrainingRecord,
)
from serving.images.dataset import QUARANTINE_FILE
from serving.process import interrupts
from serving.process.collector import importing
from serving.process.scratch import scratch
from transform_module import contract
from transform_module.errors import UserError

_LOG = logging.getLogger(__name__)

_SERVED = "Format-Serving"
"""The folder of TFX within a Model artifact."""


def new_id(root: Root) -> str:
    """Names a run by the time, unlike any other run under the root."""
    now = datetime.now().strftime("%Y%m%d-%H%M%S")
    names = itertools.chain([now], (f"{now}-{number}" for number in itertools.count(2)))
    return next(name for name in names if not (root.runs / f"{name}.json").exists())


def run(
    config: Config,
    root: Root,
    run_id: str,
    display: Display,
    *,
    preset: str = "",
    profile: bool = False,
) -> RunRecord:
    """Runs the whole, and keeps a record of it from its first moment on.

    Args:
        config: what was chosen; `before_run` has checked it.
        root: the run directory.
        run_id: its name; see `new_id`.
        display: shows what happens.
        preset: the preset, or the file, of the configuration.
        profile: whether the training is profiled and the time of the whole is drawn.

    Returns:
        The record of the finished run.

    Raises:
        UserError: it failed; the record and the message say why.
    """
    with (
        root_lock(root.path),
        scratch(root.temporary),
        PeakMemory() as memory,
        warnings_to(display.line),
    ):
        images = Path(config.images).expanduser().resolve() if config.images else root.images
        record = RunRecord(
            id=run_id,
            pid=os.getpid(),
            started=datetime.now().isoformat(timespec="seconds"),
            orchestrator=config.orchestrator,
            preset=preset,
            images=str(images),
            config=config.model_dump(mode="json"),
            log=str(root.log(run_id)),
        )
        recorder = Recorder(record, root.runs, display, memory)
        display.log(root.log(run_id))
        try:
            _run(config, root, images, recorder, profile)
            final_report.finish(record, root)
            interrupts.check()
            pushed = record.push is None or record.push.pushed
            record.state = "finished" if pushed else "refused"
        except BaseException as error:
            record.state = _how_it_ended(error)
            record.error = (
                explain(error, root.path) if record.state == "failed" else "A signal stopped it."
            )
            with interrupts.held(), contextlib.suppress(OSError):
                # A disk that is full may be what is the matter: the reason is not to be hidden.
                _finish(record, recorder, root, profile)
            if isinstance(error, OSError):
                raise UserError(record.error) from error
            raise
        with interrupts.held():
            _finish(record, recorder, root, profile)
        return record


def _how_it_ended(error: BaseException) -> Literal["failed", "interrupted"]:
    interrupted = interrupts.received() or isinstance(error, KeyboardInterrupt)
    return "interrupted" if interrupted else "failed"


def _finish(record: RunRecord, recorder: Recorder, root: Root, profile: bool) -> None:
    recorder.display.stop()
    record.seconds = recorder.seconds()
    if profile:
        _draw(record, root.timeline(record.id))
    run_record.save(record, root.runs)


def _run(config: Config, root: Root, images: Path, recorder: Recorder, profile: bool) -> None:
    record, display = recorder.record, recorder.display
    require_unlocked(root.metadata)
    dataset = examples(config, images, root.dataset, root.former_datasets, recorder.step)
    record.dataset_fingerprint = dataset.fingerprint
    record.data = data_counts.counted(dataset)
    for sentence in data_counts.lines(dataset, root.dataset):
        display.line(sentence)
    with recorder.step("Start TensorFlow and TFX"), importing():
        from components.serving_check.container_check import require_docker
        from pipeline import pipeline, training_code
        from pipeline.root import metadata, metadata_store
        from pipeline.root.unfinished import remove_unfinished
        from pipeline.run.preflight import graph_check
        from pipeline.run.preflight.pretrained import require_pretrained
        from pipeline.runners import runner
        from pipeline.runners.interruptible import interruptible

    metadata_store.prepare(root.metadata, root.artifacts)
    remove_unfinished(root.metadata, root.artifacts)

    if config.serving_check.engine == "tensorflow-serving":
        require_docker()
    require_pretrained(config.trainer)

    push_dir = Path(config.push.directory or root.pushed).expanduser().resolve()
    record.recipe = training_code.recipe_of(config, dataset.fingerprint)
    inputs = pipeline.Inputs(
        examples=str(root.dataset),
        fingerprint=dataset.fingerprint,
        images=str(images),
        quarantine=str(root.dataset / QUARANTINE_FILE),
        artifacts=str(root.artifacts),
        checkpoints=str(root.checkpoints),
        push_dir=str(push_dir),
        baseline_version=training_code.baseline_version(
            push_dir, config.push.model_name, record.recipe
        ),
        **pipeline.tunable(config),
        beam_args=pipeline.beam_args(config),
        profile=profile,
        synthetic=config.images is None,
    )
    wired = pipeline.create_pipeline(config, inputs, metadata.connection(root.metadata))
    graph_check.check_graph(wired, pipeline.UNCACHED)

    progress = ComponentProgress(recorder.memory, display.started, recorder.finished)
    try:
        on_epoch = record.epoch_seconds.append
        with watching(progress, display.line, on_epoch), interruptible():
            runner(config.orchestrator)(wired, run_id=record.id, uncached=pipeline.UNCACHED)
        interrupts.check()
    except BaseException as error:
        name = "The pipeline"
        with interrupts.held():
            if component := progress.aborted():
                name = component.name
                with contextlib.suppress(OSError):  # The disk may be full, which is the reason.
                    recorder.aborted(component, _how_it_ended(error))
            try:
                _add_lineage(record, root, pipeline.UNCACHED)
            except Exception:  # noqa: BLE001 - the run has failed, and for another reason.
                _LOG.warning("What the run did so far cannot be read.", exc_info=True)
            with contextlib.suppress(OSError):
                metadata_store.sign(root.metadata)
        if not isinstance(error, Exception):
            raise
        raise UserError(
            f"{name} failed: {explain(error, root.path)}\n"
            f"Everything that was said is in {record.log}"
        ) from error
    _add_lineage(record, root, pipeline.UNCACHED)
    metadata_store.sign(root.metadata)


def _draw(record: RunRecord, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(timeline.svg(record), encoding="utf-8")
    record.timeline = str(path)


def _add_lineage(record: RunRecord, root: Root, uncached: tuple[str, ...]) -> None:
    """Adds what the metadata store has: parameters, artifacts, evaluation and push."""
    from components.evaluator.evaluation import read_evaluation
    from pipeline.root.metadata import executions

    found = executions(root.metadata, record.id)
    former = [each for each in run_record.load_all(root.runs, os.getpid()) if each.id != record.id]
    for component in record.components:
        if execution := found.get(component.name):
            component.parameters = execution.parameters
            component.inputs, component.outputs = execution.inputs, execution.outputs
        if component.state != "cached":
            component.why = run_record.why_not_cached(
                component, run_record.last_finished(former, component.name)
            ) or ("runs every time" if component.name in uncached else "was not finished before")
    record.training = _training(record.component(TRAINER))
    tensorboard.link(root, record)
    evaluator, pusher = record.component(EVALUATOR), found.get(PUSHER)
    reported = found.get(REPORT)
    if reported and "report" in reported.properties:
        record.report = ReportRecord(reason=reported.properties["report"].get("reason", ""))
    if evaluator and evaluator.state in ("finished", "cached"):
        record.evaluation = asdict(read_evaluation(evaluator.outputs["evaluation"][0]))
    if pusher and "pushed_model" in pusher.properties:
        properties = pusher.properties["pushed_model"]
        record.push = PushRecord(
            pushed=bool(properties["pushed"]),
            version=properties.get("pushed_version", ""),
            path=properties.get("pushed_destination", ""),
            reason=properties.get("reason", ""),
        )


def _training(trainer: ComponentRecord | None) -> TrainingRecord | None:
    """Reads what the Trainer's model says of its training."""
    models = trainer.outputs.get("model") if trainer else None
    if not models:
        return None
    path = Path(models[0], _SERVED, contract.MODEL_RECORD)
    try:
        return TrainingRecord.model_validate(json.loads(path.read_bytes())["training"])
    except (OSError, ValueError, KeyError):
        _LOG.warning("%s cannot be read.", path, exc_info=True)
        return None
