"""What each process of TFX imports before it does its work.

    python -m tests.benchmarks.starting NAME

NAME is one of PROCESSES. Imports what that process imports, and ends.
"""

import importlib
import sys

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
    "task": ("components.task",),
    "task Transform": ("components.task", "tfx.components.transform.executor"),
    "task Trainer": ("components.task", "components.trainer", "trainer_module.trainer"),
    "task Evaluator": ("components.task", "components.evaluator"),
}


def main() -> None:
    """Imports."""
    for name in PROCESSES[sys.argv[1]]:
        importlib.import_module(name)


if __name__ == "__main__":
    main()
