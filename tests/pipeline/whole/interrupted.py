"""Small runs that get a signal, each at another moment, one after another on one root.

Called as ``python -m tests.pipeline.whole.interrupted FOLDER``. One process imports what a run
needs, and forks for each run, which then is a process like any other: it installs its own handlers,
and gets its signal from outside. The first run, under ``FOLDER/whole``, is left alone, and records
how long each step takes. Each run under ``FOLDER/root`` goes on where the one before was stopped,
and the last is left alone, too. ``FOLDER/ends.json`` records how each ended and what it left.
"""

import json
import logging
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, NoReturn

import psutil

from serving.process.collector import importing

with importing():
    import apache_beam  # noqa: F401
    import tensorflow as tf  # noqa: F401

    import components.evaluator.component
    import components.report
    import components.serving_check.component  # noqa: F401
    import pipeline.cli.main
    import pipeline.pipeline
    import pipeline.run.preflight.graph_check
    import pipeline.run.whole_run
    import pipeline.runners.local  # noqa: F401
    import trainer_module.run  # noqa: F401
from pipeline import __main__ as program
from pipeline.cli.output.display import Display
from pipeline.root.metadata import connection
from serving.versions import pushed

CONFIG = """
name: interrupted
synthetic: {images: 120}
trainer: {cnn: {filters: [4], dense_units: [8]}, epochs: 2, batch_size: 8}
report: {corruptions: 2}
evaluation: {minimum_auc: 0, minimum_sensitivity: 0, maximum_auc_drop: 1,
  maximum_sensitivity_drop: 1}
"""
STEPS = ("Draw synthetic images", "Convert images", "Start TensorFlow and TFX")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
_PUBLISHING = "Publishing output artifacts"
_GONE_SECONDS = 300


@dataclass
class End:
    """How a run ended.

    Attributes:
        moment: when it got its signal.
        signal: its name; empty where it got none.
        code: its exit code; negative where the signal itself ended it.
        said: what it wrote to the terminal's standard error.
        state: the last record's, as `cxr runs` shows it.
        files: left in the root's folder of temporary files.
        public: left in TMPDIR, which all users of a machine share.
        processes: left alive.
        not_blessed: pushed versions without a model that was blessed and served.
    """

    moment: str
    signal: str
    code: int
    said: str
    state: str
    files: list[str]
    public: list[str]
    processes: list[str]
    not_blessed: list[str]


def moments(record: dict[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Names each moment: what has to be reached, and the seconds that are waited from then on."""
    seconds = {each["name"]: each["seconds"] for each in (*record["steps"], *record["components"])}
    for name in STEPS:
        yield f"{name}, started", name, 0
        yield f"{name}, halfway", name, seconds[name] / 2
    for name in (each["name"] for each in record["components"]):
        yield f"{name}, started", name, 0
        if seconds[name] > 0.5:
            yield f"{name}, a third", name, seconds[name] / 3
            yield f"{name}, two thirds", name, seconds[name] * 2 / 3
        yield f"{name}, publishing", f"{name} {_PUBLISHING}", 0


class _Reached(logging.Handler):
    """Reports what TFX's launcher is doing."""

    def __init__(self, report: Callable[[str], None]) -> None:
        super().__init__(level=logging.INFO)
        self._report = report
        self._component = ""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text.startswith("Component ") and text.endswith(" is running."):
            self._component = text.split()[1]
            self._report(self._component)
        elif text.startswith(_PUBLISHING):
            self._report(f"{self._component} {_PUBLISHING}")


def run(
    root: Path,
    temporary: Path,
    moment: str = "",
    reached: str = "",
    wait: float = 0,
    number: int = 0,
) -> End:
    """Runs `cxr run` in a fork, which gets a signal when something is reached."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        _be_cxr(root, temporary, write)
    os.close(write)
    sent = False
    with os.fdopen(read, "rb", buffering=0) as lines:
        # Read to the end: a pipe that nobody reads would end the run.
        while line := lines.readline():
            if number and not sent and line.decode().strip() == reached:
                # The next report comes sooner where this run is faster than the undisturbed one.
                select.select([lines], [], [], wait)
                sent = _send(child, number)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return End(
        moment,
        signal.Signals(number).name if sent else "",
        code,
        (root / "said").read_text(),
        _state(root),
        _files(root / "tmp"),
        _files(temporary),
        _left_alive(child),
        list(_not_blessed(root)),
    )


def _send(child: int, number: int) -> bool:
    """Sends a signal to a process, and returns whether it had not ended before."""
    if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        return False
    os.kill(child, number)
    return True


def _be_cxr(root: Path, temporary: Path, report: int) -> NoReturn:
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell put it aside
    root.mkdir(exist_ok=True)
    for descriptor, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, root / "printed", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, root / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        os.dup2(os.open(name, flags, 0o600), descriptor)
    os.environ["TMPDIR"] = str(temporary)
    os.environ["GLIBC_TUNABLES"] = ""  # or it would start anew, without what is imported
    tempfile.tempdir = None

    def reached(what: str) -> None:
        os.write(report, f"{what}\n".encode())

    step = Display.step

    def reported(self: Display, name: str) -> Any:
        reached(name)
        return step(self, name)

    Display.step = reported  # type: ignore[method-assign]
    logging.getLogger("absl").addHandler(_Reached(reached))
    config = root.parent / "config.yaml"
    sys.argv = ["cxr", "run", "--json", "--root", str(root), "--config", str(config)]
    code = 1
    try:
        program.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 - the traceback is what is looked for
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _state(root: Path) -> str:
    from pipeline.run_records import run_record

    records = run_record.load_all(root / "runs", None)
    return records[-1].state if records else ""


def _files(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if not path.is_dir()]


def _left_alive(session: int) -> list[str]:
    """Waits for the processes of a session to end, and returns those that do not."""
    deadline = time.monotonic() + _GONE_SECONDS
    while True:
        alive = []
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                    alive.append(" ".join(process.cmdline()))
            except (psutil.Error, ProcessLookupError, PermissionError):
                continue
        if not alive or time.monotonic() > deadline:
            return alive
        time.sleep(0.1)


def _not_blessed(root: Path) -> Iterator[str]:
    """Finds pushed versions whose files are not those of a model blessed, served and recorded."""
    versions = [each for each in (root / "pushed").glob("*/[0-9]*") if each.is_dir()]
    if not versions:
        return
    blessed = _blessed(root)
    for version in versions:
        manifest = pushed.read_manifest(version)
        if pushed.verify(version):
            yield f"{version}: is not whole"
        elif not any(files.items() <= manifest["files"].items() for files in blessed):
            yield f"{version}: is not the model that was blessed and served"


def _blessed(root: Path) -> list[dict[str, Any]]:
    """The sums of the models that both an evaluation and a serving check have blessed."""
    from ml_metadata import metadata_store

    store = metadata_store.MetadataStore(connection(root / "metadata.sqlite"))
    blessed: dict[str, set[int]] = {}
    for kind in ("ModelBlessing", "InfraBlessing"):
        models: set[int] = set()
        artifacts = store.get_artifacts_by_type(kind)
        for artifact in artifacts:
            if artifact.custom_properties["blessed"].int_value != 1:
                continue
            (made, *_) = store.get_events_by_artifact_ids([artifact.id])
            for event in store.get_events_by_execution_ids([made.execution_id]):
                if event.path.steps[0].key == "model":
                    models.add(event.artifact_id)
        blessed[kind] = models
    both = set.intersection(*blessed.values())
    found = store.get_artifacts_by_id(list(both)) if both else []
    return [pushed.sums(Path(each.uri, "Format-Serving")) for each in found]


def main(folder: Path) -> None:
    """Runs all, and writes how each ended."""
    (folder / "config.yaml").write_text(CONFIG)
    temporary = folder / "temporary"
    temporary.mkdir()
    ends = [run(folder / "whole", temporary, "undisturbed")]
    assert ends[0].code == 0, ends[0]
    record = json.loads((folder / "whole" / "printed").read_text())
    for (moment, reached, wait), number in zip(moments(record), cycle(SIGNALS), strict=False):
        started = time.monotonic()
        ends.append(run(folder / "root", temporary, moment, reached, wait, number))
        (folder / "ends.json").write_text(json.dumps([asdict(each) for each in ends], indent=2))
        print(  # noqa: T201
            f"{time.monotonic() - started:5.1f} s  {ends[-1].signal:8}{moment:40}{ends[-1].code}",
            flush=True,
        )
    ends.append(run(folder / "root", temporary, "repeated"))
    (folder / "ends.json").write_text(json.dumps([asdict(each) for each in ends], indent=2))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
