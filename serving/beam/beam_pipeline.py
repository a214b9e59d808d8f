"""Beam's pipelines of ours: their options, and running them to their end."""

import contextlib
import io
import re
import time
from collections.abc import Sequence
from typing import Final

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.runner import PipelineState, create_runner

from serving.beam.beam_args import DEFAULT_BEAM_ARGS
from serving.beam.beam_workers import tie_workers
from serving.process import interrupts
from serving.progress import count
from transform_module.errors import UserError

IMAGES: Final = "images"
"""Beam's counter of the images that are done."""


def options(beam_args: Sequence[str]) -> PipelineOptions:
    """Makes Beam's options.

    Args:
        beam_args: Beam's own options; they go before DEFAULT_BEAM_ARGS.

    Raises:
        UserError: Beam does not understand one, or has no such runner.
    """
    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed):
            made = PipelineOptions([*DEFAULT_BEAM_ARGS, *beam_args])
            made.get_all_options()
    except SystemExit as error:
        # Beam parses them when they are first read, as a program does its own: it prints and exits.
        mistake = printed.getvalue().strip().rpartition("error: ")[2]
        raise UserError(f"Beam does not understand {' '.join(beam_args)}: {mistake}") from error
    try:
        create_runner(made.view_as(StandardOptions).runner)
    except (ValueError, ImportError, AttributeError) as error:
        raise UserError(f"Beam has no runner as in {' '.join(beam_args)}: {error}") from error
    return made


def run(pipeline: beam.Pipeline, stage: str = "") -> None:
    """Runs a pipeline to its end.

    Args:
        pipeline: a pipeline that was made with `options`.
        stage: whose listener gets the images that the workers count; by default nobody's.

    Raises:
        UserError: a worker raised one.
    """
    tie_workers()
    try:
        result = pipeline.run()
        seen = 0
        while not PipelineState.is_terminal(result.state):
            time.sleep(1)
            counters = result.metrics().query()["counters"]
            done = sum(each.result for each in counters if each.key.metric.name == IMAGES)
            count(stage, done - seen)
            seen = done
        result.wait_until_finish()
    except Exception as error:
        interrupts.check()  # Beam makes a RuntimeError of a KeyboardInterrupt.
        if isinstance(error, UserError):
            raise UserError(str(error).partition(" [while running")[0]) from error
        # Beam hands errors over as text, from whichever process they happened in.
        if found := re.search(r"UserError: ([^\n]*?)(?= \[while running|\n|$)", str(error)):
            raise UserError(found[1]) from error
        raise
