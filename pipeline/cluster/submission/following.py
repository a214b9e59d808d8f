"""Following a run until it is over."""

import time
from collections.abc import Callable

from pipeline.cluster.submission.submitted import OVER, Cluster, Progress


def follow(
    cluster: Cluster,
    run: str,
    report: Callable[[str, str], None],
    *,
    seconds_between: float = 10.0,
) -> Progress:
    """Waits for the end of a run.

    Args:
        cluster: where it runs.
        run: its id.
        report: is called with each task whose state has changed, and the state.
        seconds_between: between two looks.

    Raises:
        UserError: the cluster cannot be reached any more; the run continues.
    """
    states: dict[str, str] = {}
    while True:
        progress = cluster.progress(run)
        for task, state in progress.tasks.items():
            if states.get(task) != state:
                states[task] = state
                report(task, state)
        if progress.state in OVER:
            return progress
        time.sleep(seconds_between)
