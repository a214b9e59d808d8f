"""Stops TFX's launcher for a signal: no half-recorded execution, no output of one that stopped.

TFX's launcher cleans up after an Exception, and KeyboardInterrupt is not one: the execution would
stay as running in the metadata store, and its half outputs in their folders. An executor that
swallows the signal, and ends as if nothing had been, would be recorded and cached.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from tfx.orchestration.portable import data_types, launcher

from serving.process import interrupts


class Interrupted(Exception):
    """A signal has come while an executor ran."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Has components that are launched within the block stop for a signal, and leave nothing."""
    launch = launcher.Launcher.launch

    def held_launch(self: launcher.Launcher) -> data_types.ExecutionInfo | None:
        # The instance's own: a subclass may have another one.
        self._run_executor = _stopping(self._run_executor)
        with interrupts.held():
            return launch(self)

    with mock.patch.object(launcher.Launcher, "launch", held_launch):
        yield


def _stopping(run_executor: Callable[..., Any]) -> Callable[..., Any]:
    def run(info: data_types.ExecutionInfo) -> Any:
        try:
            with interrupts.let_through():
                return run_executor(info)
        except BaseException as error:
            outputs = [each for found in info.output_dict.values() for each in found]
            folders = [each.uri for each in outputs if not each.is_external]
            for folder in (*folders, info.stateful_working_dir):
                shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, Exception):
                raise
            raise Interrupted(str(error) or type(error).__name__) from error

    return run
