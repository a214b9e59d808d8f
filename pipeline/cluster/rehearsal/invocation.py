"""A task's command line and input, as a launcher makes them from the specification."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from pipeline.cluster.rehearsal.compiled import Compiled
from pipeline.cluster.rehearsal.places import localized
from transform_module.errors import UserError

_PLACEHOLDER: Final = re.compile(
    r"\{\{\$(?:\.(?P<side>inputs|outputs)\.(?P<kind>parameters|artifacts)"
    r"\['(?P<name>[^']+)'\](?:\.(?:uri|path|value|output_file))?)?\}\}"
)

Artifacts = Mapping[str, Sequence[pipeline_spec_pb2.RuntimeArtifact]]
"""What a task made, by the output's name."""


@dataclass(frozen=True)
class Invocation:
    """How one task is run.

    Attributes:
        task: its name.
        driver: the command that runs before it; empty where there is none.
        command: its command.
        environment: variables that the specification sets.
        executor_input: its input; has the URIs of its outputs.
        folder: what is this task's alone.
    """

    task: str
    driver: list[str]
    command: list[str]
    environment: dict[str, str]
    executor_input: pipeline_spec_pb2.ExecutorInput
    folder: Path


def inputs(
    compiled: Compiled, task: str, made: Mapping[str, Artifacts], places: Mapping[str, str]
) -> pipeline_spec_pb2.ExecutorInput:
    """Resolves a task's inputs.

    Args:
        compiled: the pipeline.
        task: its name.
        made: what the tasks before it made.
        places: local folders by the remote place that they stand for in parameters.

    Returns:
        The task's input, still without outputs.
    """
    given = pipeline_spec_pb2.ExecutorInput()
    for name, source in compiled.tasks[task].inputs.artifacts.items():
        origin = source.task_output_artifact
        for artifact in made[origin.producer_task][origin.output_artifact_key]:
            given.inputs.artifacts[name].artifacts.add().CopyFrom(artifact)
    for name in compiled.component(task).input_definitions.parameters:
        value = compiled.value(task, name)
        if value is not None:
            value = localized(value, places) if isinstance(value, str) else value
            json_format.ParseDict(value, given.inputs.parameter_values[name])
    return given


def resolved(words: Sequence[str], task: str, given: pipeline_spec_pb2.ExecutorInput) -> list[str]:
    """Replaces the placeholders of a command.

    Args:
        words: of the command.
        task: its name, for the message.
        given: the task's input.

    Raises:
        UserError: a placeholder names what the task does not have.
    """
    return [_resolve(word, task, given) for word in words]


def reported(invoked: Invocation) -> pipeline_spec_pb2.ExecutorOutput:
    """Reads what a task reports of its outputs.

    Raises:
        UserError: it reported nothing, or something unreadable.
    """
    found = pipeline_spec_pb2.ExecutorOutput()
    file = Path(invoked.executor_input.outputs.output_file)
    try:
        json_format.Parse(file.read_text(encoding="utf-8"), found)
    except FileNotFoundError:
        raise UserError(
            f"{invoked.task}: it ended well and wrote no outputs.outputFile; its command is not "
            "that of an executor."
        ) from None
    except json_format.ParseError as error:
        raise UserError(f"{invoked.task}: its outputs.outputFile cannot be read: {error}") from None
    return found


def not_made(task: str, output: str) -> UserError:
    """Returns the error of an output that is neither there nor reported."""
    return UserError(
        f"{task}: outputs.artifacts.{output} is declared and was not made; the component and its "
        "declaration differ."
    )


def _resolve(text: str, task: str, given: pipeline_spec_pb2.ExecutorInput) -> str:
    def value(match: re.Match[str]) -> str:
        if not match["side"]:
            return json_format.MessageToJson(given, indent=None)
        try:
            return _look_up(match, given)
        except (KeyError, IndexError):
            raise UserError(
                f"{task}: its command has {match[0]}, which the task is not given."
            ) from None

    return _PLACEHOLDER.sub(value, text)


def _look_up(match: re.Match[str], given: pipeline_spec_pb2.ExecutorInput) -> str:
    if match["kind"] == "parameters" and match["side"] == "inputs":
        values: dict[str, Any] = json_format.MessageToDict(given.inputs)["parameterValues"]
        found = values[match["name"]]
        return found if isinstance(found, str) else json.dumps(found)
    artifacts = getattr(given, match["side"]).artifacts
    if match["name"] not in artifacts:
        raise KeyError(match["name"])
    return str(artifacts[match["name"]].artifacts[0].uri)
