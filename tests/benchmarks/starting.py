"""What each process of TFX imports before it does its work.

    python -m tests.benchmarks.starting NAME

NAME is one of PROCESSES. Imports what that process imports, and ends.
"""

import contextlib
import importlib
import sys

from components.collector import importing

_TASK = (
    "components.task",
    "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor",
    "components.beam_process",
)
PROCESSES = {
    "tensorflow": ("tensorflow",),
    "cxr run": (
        "pipeline.cli",
        "components.serving_check_container",
        "pipeline.graph_check",
        "pipeline.metadata",
        "pipeline.pipeline",
        "pipeline.recipe",
        "pipeline.runners",
    ),
    "task": _TASK,
    "task Transform": (*_TASK, "tfx.components.transform.executor"),
    "task Trainer": (*_TASK, "components.trainer", "trainer_module.trainer"),
    "task Evaluator": (*_TASK, "components.evaluator"),
}


def main() -> None:
    """Imports."""
    name = sys.argv[1]
    with contextlib.nullcontext() if name == "tensorflow" else importing():
        for module in PROCESSES[name]:
            importlib.import_module(module)


if __name__ == "__main__":
    main()
