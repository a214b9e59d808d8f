"""The entry point of a compiled task: TFX's, with Beam's arguments from a parameter of the task.

python -m components.task --executor_class_path CLASS --json_serialized_invocation_args JSON ...
"""

import json
import shlex
import sys
from collections.abc import Sequence
from typing import Final

from serving.beam.beam_args import BEAM_ARGS
from serving.process.collector import importing
from transform_module.errors import UserError

_INVOCATION: Final = "--json_serialized_invocation_args"


def with_beam_args(argv: Sequence[str]) -> list[str]:
    """Appends the arguments of Beam from the task's parameter.

    Args:
        argv: the task's command line.

    Raises:
        UserError: the parameter has a quotation mark without its other.
    """
    invocation = json.loads(argv[argv.index(_INVOCATION) + 1])
    given = invocation.get("inputs", {}).get("parameterValues", {}).get(BEAM_ARGS, "")
    try:
        return [*argv, *shlex.split(given)]
    except ValueError as error:
        raise UserError(
            f"The parameter {BEAM_ARGS} is {given!r}: {error}. Give it as on a command line."
        ) from None


def main() -> None:
    """Runs the task; a mistake of the user's ends it with one line."""
    with importing():
        from absl import app
        from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor as tfx_task

        from serving.beam.beam_process import prepare_process

    prepare_process()
    try:
        app.run(tfx_task.main, argv=with_beam_args(sys.argv), flags_parser=tfx_task._parse_flags)
    except UserError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
