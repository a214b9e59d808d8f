"""A task's command line and executor input, as the launcher of Kubeflow Pipelines makes them."""

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
        output_file: where it writes the properties of its outputs.
    """

    task: str
    driver: list[str]
    command: list[str]
    environment: dict[str, str]
    executor_input: pipeline_spec_pb2.ExecutorInput
    output_file: Path


def invocation(
    compiled: Compiled,
    task: str,
    made: Mapping[str, Artifacts],
    folder: Path,
    places: Mapping[str, str],
) -> Invocation:
    """Resolves what is in the specification.

    Args:
        compiled: the pipeline.
        task: its name.
        made: what the tasks before it made.
        folder: where its outputs go; a folder for each inside.
        places: local folders by the remote place that they stand for.

    Raises:
        UserError: a placeholder names what the task does not have.
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
    for name, each in compiled.component(task).output_definitions.artifacts.items():
        artifact = given.outputs.artifacts[name].artifacts.add()
        artifact.name = f"{task}-{name}"
        artifact.uri = str(folder / name)
        artifact.type.CopyFrom(each.artifact_type)
    output_file = folder / "executor_output.json"
    given.outputs.output_file = str(output_file)

    container = compiled.executor(task).container
    hook = container.lifecycle.pre_cache_check

    def resolved(words: Sequence[str]) -> list[str]:
        return [_resolve(word, task, given) for word in words]

    return Invocation(
        task,
        resolved([*hook.command, *hook.args]),
        resolved([*container.command, *container.args]),
        {each.name: each.value for each in container.env},
        given,
        output_file,
    )


def outcome(
    invoked: Invocation,
) -> dict[str, list[pipeline_spec_pb2.RuntimeArtifact]]:
    """Reads the outputs of a task: those declared, with the properties that it reports.

    Raises:
        UserError: it made nothing where an output is declared, or reported something unreadable.
    """
    reported = pipeline_spec_pb2.ExecutorOutput()
    try:
        json_format.Parse(invoked.output_file.read_text(encoding="utf-8"), reported)
    except FileNotFoundError:
        raise UserError(
            f"{invoked.task}: it ended well and wrote no outputs.outputFile; its command is not "
            "that of an executor."
        ) from None
    except json_format.ParseError as error:
        raise UserError(f"{invoked.task}: its outputs.outputFile cannot be read: {error}") from None
    made: dict[str, list[pipeline_spec_pb2.RuntimeArtifact]] = {}
    for name, expected in invoked.executor_input.outputs.artifacts.items():
        (artifact,) = expected.artifacts
        if not reported.artifacts[name].artifacts and not Path(artifact.uri).exists():
            raise UserError(
                f"{invoked.task}: outputs.artifacts.{name} is declared and was not made; the "
                "component and its declaration differ."
            )
        for found in reported.artifacts[name].artifacts:
            artifact.metadata.update(json_format.MessageToDict(found.metadata))
            artifact.uri = found.uri or artifact.uri
        made[name] = [artifact]
    return made


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
