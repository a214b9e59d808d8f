"""What each process of TFX imports before it does its work.

    python -m tests.benchmarks.starting NAME

NAME is one of PROCESSES. Imports what that process imports, and ends.
"""

import contextlib
import importlib
import sys

from serving.process.collector import importing

_TASK = (
    "components.task",
    "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor",
    "serving.beam.beam_process",
)
PROCESSES = {
    "tensorflow": ("tensorflow",),
    "cxr run": (
        "pipeline.cli.main",
        "components.serving_check.container_check",
        "pipeline.run.preflight.graph_check",
        "pipeline.root.metadata",
        "pipeline.pipeline",
        "pipeline.training_code",
        "pipeline.runners",
    ),
    "task": _TASK,
    "task Transform": (*_TASK, "tfx.components.transform.executor"),
    "task Trainer": (*_TASK, "components.trainer", "trainer_module.run"),
    "task Evaluator": (*_TASK, "components.evaluator.component"),
}


def main() -> None:
    """Imports."""
    name = sys.argv[1]
    with contextlib.nullcontext() if name == "tensorflow" else importing():
        for module in PROCESSES[name]:
            importlib.import_module(module)


if __name__ == "__main__":
    main()
