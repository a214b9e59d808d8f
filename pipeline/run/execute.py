"""One run as `cxr run` does it: checks, log file, progress and record. Also called from Python."""

from pathlib import Path

from pipeline.cli.output.cells import console
from pipeline.cli.output.display import Display
from pipeline.config.config import Config
from pipeline.config.presets import named
from pipeline.root.root import Root
from pipeline.run import whole_run as runs
from pipeline.run.preflight import before_run
from pipeline.run.preflight.announcement import announce
from pipeline.run_records.run_log import redirected_to
from pipeline.run_records.run_record import RunRecord, load_all
from transform_module.errors import UserError


def execute(
    config: Config, root: str | Path, *, source: str | None = None, profile: bool = False
) -> RunRecord:
    """Runs the pipeline on this machine.

    Standard output and error of the whole process go to the run's log meanwhile; its progress is
    printed to the former standard error.

    Args:
        config: what was chosen; see `pipeline.config.config_file.load`.
        root: the run directory; it is made if absent.
        source: the preset or file that the configuration was read from, to be named in the record.
        profile: whether the training is profiled and the time of the whole is drawn.

    Returns:
        The record of the finished run; its `state` is `finished` if the model was pushed, else
        `refused`.

    Raises:
        UserError: the configuration's paths cannot be used, another run holds the root, or the run
            failed; the message says why.
    """
    place = Root.at(Path(root))
    files = before_run.check(config, place)
    run_id = runs.new_id(place)
    log = place.log(run_id)
    try:
        with redirected_to(log) as terminal:
            display = Display(console(terminal))
            for line in announce(config, source, files, load_all(place.runs, None)):
                display.heading(line)
            return runs.run(config, place, run_id, display, preset=named(source), profile=profile)
    except UserError:
        # Another run holds the root: there was nothing to log.
        if not log.stat().st_size:
            log.unlink()
        raise
