"""The entry point of a compiled task: TFX's, with what the task's launcher leaves to it.

python -m components.task --executor_class_path CLASS --json_serialized_invocation_args JSON ...
"""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from serving.beam.beam_args import BEAM_ARGS, computes_here
from serving.process.collector import importing
from transform_module.errors import UserError

if TYPE_CHECKING:
    from kfp.pipeline_spec.pipeline_spec_pb2 import ExecutorInput

COPIES_ROOT: Final = "--copies_root"
"""The folder under which the launcher has copied the inputs, and from which it uploads the outputs;
absent if the task reads and writes the store itself."""

GOOGLE_CLOUD: Final = "components.google_cloud."
"""Where the executors are whose work is done elsewhere."""

_INVOCATION: Final = "--json_serialized_invocation_args"
_DECLARED: Final = "--json_serialized_inputs_spec_args"


@dataclass(frozen=True)
class Task:
    """A task's command line, for TFX.

    Attributes:
        argv: the command line of TFX's entry point.
        uris: of artifacts, by the local folder that TFX was given in their place.
        output_file: where TFX writes what it made.
    """

    argv: list[str]
    uris: dict[str, str]
    output_file: str


def read(argv: Sequence[str]) -> Task:
    """Reads a task's command line.

    Args:
        argv: as the launcher has started it.

    Raises:
        UserError: the parameter of Beam's arguments has a quotation mark without its other.
    """
    from google.protobuf import json_format
    from kfp.pipeline_spec.pipeline_spec_pb2 import ComponentInputsSpec, ExecutorInput

    from components import task_input

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(_INVOCATION, required=True)
    parser.add_argument(_DECLARED, default="{}")
    parser.add_argument(COPIES_ROOT)
    options, others = parser.parse_known_args(argv)
    declared, given = ComponentInputsSpec(), ExecutorInput()
    json_format.Parse(options.json_serialized_inputs_spec_args, declared)
    json_format.Parse(options.json_serialized_invocation_args, given, ignore_unknown_fields=True)
    beam_args = _beam_args(given)
    task_input.complete(given, declared)
    uris = {}
    # Workers elsewhere do not see this machine's folders.
    if options.copies_root and computes_here(beam_args):
        uris = task_input.localize(given, options.copies_root)
    invocation = json_format.MessageToJson(given, indent=None)
    return Task(
        [
            *others,
            *(_INVOCATION, invocation),
            *(_DECLARED, options.json_serialized_inputs_spec_args),
            *beam_args,
        ],
        uris,
        given.outputs.output_file,
    )


def _beam_args(given: "ExecutorInput") -> list[str]:
    values = given.inputs.parameter_values
    text = values[BEAM_ARGS].string_value if BEAM_ARGS in values else ""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UserError(
            f"The parameter {BEAM_ARGS} is {text!r}: {error}. Give it as on a command line."
        ) from None


def _name_the_store(task: Task) -> None:
    """Reports the outputs by their URIs, from which the next tasks get them."""
    from components import task_input

    if task.uris:
        file = Path(task.output_file)
        content = task_input.remote_again(json.loads(file.read_text("utf-8")), task.uris)
        file.write_text(json.dumps(content), encoding="utf-8")


def main() -> None:
    """Runs the task; a mistake of the user's ends it with one line."""
    with importing():
        from absl import app
        from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor as tfx_task

        from serving.beam.beam_process import prepare_process

    prepare_process()
    try:
        task = read(sys.argv)

        def run(parsed: tuple[argparse.Namespace, list[str]]) -> None:
            tfx_task.main(parsed)
            _name_the_store(task)

        app.run(run, argv=task.argv, flags_parser=tfx_task._parse_flags)
    except UserError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
