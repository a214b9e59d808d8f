"""Converts in child processes that are killed, with SIGKILL, each at another moment.

Called as ``python -m tests.components.convert.killed IMAGES ROOT``: every folder in ROOT is the
output of one conversion, and the part of its name before the comma is the moment.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf  # noqa: F401 - once, for all children

from components.convert import jobs
from serving.files import staging
from tests.components.convert.folders import dataset_of

Options = dict[str, Any]


def die(*_: object) -> None:
    """Ends this process as the kernel does it: nothing is cleaned up."""
    os.kill(os.getpid(), signal.SIGKILL)


def at_progress(stage: int, share: float) -> Options:
    """Dies in the first or second stage, when a share of the images is done."""
    starts = 0

    def progress(done: int, total: int) -> None:
        nonlocal starts
        starts += done == 0
        if starts == stage and done >= share * total:
            die()

    return {"progress": progress}


def at_call(module: object, name: str, *, after: bool = False) -> Options:
    """Dies when a function is called, or has returned, for the first time."""
    function = getattr(module, name)

    def deadly(*arguments: object, **options: object) -> None:
        if after:
            function(*arguments, **options)
        die()

    setattr(module, name, deadly)
    return {}


def at_first_rename() -> Options:
    """Dies while the output is put into place, with the former one out of the way."""
    publish = staging.publish

    def half(new: Path, out: Path) -> None:
        at_call(os, "rename", after=True)
        publish(new, out)

    staging.publish = half
    return {}


MOMENTS: dict[str, Callable[[], Options]] = {
    "starting": lambda: at_call(jobs.Job, "place"),
    "inspecting": lambda: at_progress(1, 0.5),
    "inspected": lambda: at_progress(2, 0),
    "writing": lambda: at_progress(2, 0.5),
    "written": lambda: at_call(staging, "publish"),
    "between the renames": at_first_rename,
    "published": lambda: at_call(staging, "publish", after=True),
}


def main(images: Path, root: Path) -> None:
    """Runs and kills one conversion for each output in ``root``."""
    for out in sorted(root.iterdir()):
        child = os.fork()
        if not child:
            options = MOMENTS[out.name.split(",")[0]]()
            dataset_of(images, out / "dataset", **options)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, out.name


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
