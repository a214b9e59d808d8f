"""The logs of trainings under the ids of their runs, as TensorBoard is to name them."""

import contextlib
import os
from pathlib import Path

from pipeline.cli.output.cells import argument, program
from pipeline.component_ids import TRAINER
from pipeline.root.root import Root
from pipeline.run_records.run_record import RunRecord


def link(root: Root, record: RunRecord) -> None:
    """Makes `tensorboard/RUN` under the root lead to the logs of the run's training.

    The components' outputs are numbered, and a training that comes from the cache is several runs'.
    Where the file system has no links, nothing is made.

    Args:
        root: where it ran.
        record: with what its components made.
    """
    logs = _logs(root, record)
    if logs is None or not logs.is_dir():
        return
    place = root.tensorboard / record.id
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        # Relative: a root may be moved.
        place.symlink_to(os.path.relpath(logs, place.parent), target_is_directory=True)


def command(root: Root, record: RunRecord | None = None) -> str:
    """Returns the command line that shows a run's training, or all; as markup.

    Args:
        root: where they ran.
        record: the run; None shows all runs.
    """
    folder = root.tensorboard if record is None else root.tensorboard / record.id
    if not folder.is_dir():  # A run of an earlier release, or no links here.
        logs = record and _logs(root, record)
        folder = logs or root.artifacts / TRAINER / "model_run"
    return f"{program('tensorboard')} --logdir {argument(folder)}"


def _logs(root: Root, record: RunRecord) -> Path | None:
    trainer = record.component(TRAINER)
    made = trainer.outputs.get("model_run") if trainer else None
    return root.artifact(made[0]) if made else None
