"""A process that has imported what every task imports, and forks for each of them.

    python -m pipeline.cluster.rehearsal.forks MODULE...

Reads a line of JSON for each task (`argv`, `log`, `status`), and writes the process id of the fork.
The fork runs `python -m` of its argv, and leaves its exit code in the file `status`. It is killed
when the standard input ends.
"""

import importlib
import json
import os
import runpy
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from serving.process import tied


def main() -> None:
    """Serves until the standard input ends."""
    for module in sys.argv[1:]:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the forks
    print("ready", flush=True)  # noqa: T201
    for line in sys.stdin:
        task = json.loads(line)
        child = os.fork()
        if not child:
            _run(task)
        print(child, flush=True)  # noqa: T201


def _run(task: dict[str, Any]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    tied.watch(os.dup(0))
    with open(task["log"], "ab") as log, open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    code = 1
    try:
        sys.argv = task["argv"]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - the log has it.
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    status = Path(task["status"])
    unfinished = status.with_suffix(".tmp")
    unfinished.write_text(str(code))
    unfinished.rename(status)
    os._exit(code)


if __name__ == "__main__":
    main()
