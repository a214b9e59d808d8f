"""What is kept of a run: one JSON file each, under the root."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from components.errors import UserError, first_mistake
from components.sync import write_text

State = Literal["running", "finished", "failed", "interrupted", "killed", "damaged"]
"""`killed` is a run whose process is gone without having written how it ended, and `damaged` is a
record that cannot be read; neither is written."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StepRecord(_Record):
    """What one step of a run took."""

    name: str = Field(description="A component's id, or a few words.")
    start: float = Field(0.0, description="Seconds from the run's start to its own.")
    seconds: float = Field(description="Wall time.")
    peak_memory: int = Field(description="Bytes, of the whole process tree meanwhile.")


class ComponentRecord(StepRecord):
    """What one component did in a run."""

    state: Literal["finished", "cached", "failed", "interrupted"] = Field(
        description="How it ended."
    )
    why: str = Field("", description="Why it was not taken from the cache.")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="What it was told, as the cache sees it."
    )
    inputs: dict[str, list[str]] = Field(
        default_factory=dict, description="Folders of the artifacts that it read."
    )
    outputs: dict[str, list[str]] = Field(
        default_factory=dict, description="Folders of the artifacts that it made."
    )


class PushRecord(_Record):
    """Whether the run's model was pushed."""

    pushed: bool = Field(description="Whether it stands in the push folder.")
    version: str = Field("", description="Its version there.")
    path: str = Field("", description="Its folder there.")
    reason: str = Field("", description="Why it was not pushed.")


class ReportRecord(_Record):
    """Where the run's report is."""

    page: str = Field("", description="The page; empty where there is none.")
    card: str = Field("", description="The model card; empty where there is none.")
    reason: str = Field("", description="Why there is none.")


class RunRecord(_Record):
    """One run."""

    id: str = Field(description="Its name, from the time of its start.")
    state: State = Field("running", description="How it ended.")
    pid: int = Field(description="The process that ran it.")
    started: str = Field(description="Local time, ISO 8601.")
    seconds: float = Field(0.0, description="Wall time, imports included.")
    orchestrator: str = Field(description="What ran the components.")
    images: str = Field(description="The folder of pictures.")
    dataset_fingerprint: str = Field("", description="Of the examples.")
    recipe: str = Field("", description="Hash of all that decides the model.")
    config: dict[str, Any] = Field(description="The whole configuration.")
    steps: list[StepRecord] = Field(
        default_factory=list, description="What was done before the components, in its order."
    )
    components: list[ComponentRecord] = Field(default_factory=list, description="In their order.")
    evaluation: dict[str, Any] | None = Field(None, description="Content of evaluation.json.")
    push: PushRecord | None = Field(None, description="What became of the model.")
    report: ReportRecord | None = Field(None, description="What tells of the model.")
    error: str = Field("", description="Why it failed.")
    log: str = Field(description="The log file.")
    timeline: str = Field("", description="The drawing of its time; empty without --profile.")

    def component(self, name: str) -> ComponentRecord | None:
        """The record of a component, None where the run did not come to it."""
        return next((each for each in self.components if each.name == name), None)


def save(record: RunRecord, folder: Path) -> None:
    """Writes a record; after a power cut, too, a reader sees the former or the whole new one."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / f"{record.id}.json", record.model_dump_json(indent=2) + "\n")


def load_all(folder: Path, alive: int | None) -> list[RunRecord]:
    """Reads every run's record, the oldest first.

    Args:
      folder: Where they stand; need not exist.
      alive: The process that runs on the root now; another one that never told its end is dead.

    Returns:
      The records; for a file that cannot be read, one of the state `damaged` whose error tells why.
    """
    paths = sorted(folder.glob("[!.]*.json"), key=lambda path: path.stem)
    return [_load(path, alive) for path in paths]


def _load(path: Path, alive: int | None) -> RunRecord:
    try:
        record = RunRecord.model_validate_json(path.read_bytes())
    except OSError as error:
        return _damaged(path, f"cannot be read: {error.strerror}")
    except ValidationError as error:
        return _damaged(path, f"is no record of a run ({first_mistake(error)})")
    if record.state == "running" and record.pid != alive:
        return record.model_copy(update={"state": "killed"})
    return record


def _damaged(path: Path, problem: str) -> RunRecord:
    return RunRecord(
        id=path.stem,
        state="damaged",
        pid=0,
        started="",
        orchestrator="",
        images="",
        config={},
        log="",
        error=f"{path} {problem}. Remove it; nothing else depends on it.",
    )


def last_finished(records: Sequence[RunRecord], name: str) -> ComponentRecord | None:
    """Finds what a component did in the last run in which it ended well.

    Args:
      records: The oldest first.
      name: The component's id.

    Returns:
      None where it never did, or no run lived to record what it read and made.
    """
    for record in reversed(records):
        component = record.component(name)
        if component and component.state in ("finished", "cached") and component.outputs:
            return component
    return None


def find(records: list[RunRecord], run_id: str) -> RunRecord:
    """Finds a run.

    Args:
      records: As `load_all` returns them, at least one.
      run_id: Its id, or `last`.

    Raises:
      UserError: There is none of that id.
    """
    if run_id == "last":
        return records[-1]
    for record in records:
        if record.id == run_id:
            return record
    near = difflib.get_close_matches(run_id, [record.id for record in records], n=1, cutoff=0.5)
    advice = f" Did you mean {near[0]}?" if near else ""
    raise UserError(f"There is no run {run_id}.{advice} The latest is {records[-1].id}.")


def why_not_cached(component: ComponentRecord, former: ComponentRecord | None) -> str:
    """Tells what differs from the last time that a component ended well.

    Args:
      component: What it did now.
      former: What it did then; None where it never ended well.

    Returns:
      A few words; empty where nothing that the cache sees differs.
    """
    if former is None:
        return "first time"
    changes = [
        f"{name} {_short(before)} -> {_short(after)}"
        for name, before, after in _differences(former.parameters, component.parameters)
    ]
    changes += [f"other {name}" for name, _, _ in _differences(former.inputs, component.inputs)]
    return ", ".join(changes[:3]) + (f", {len(changes) - 3} more" if len(changes) > 3 else "")


def _differences(
    before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = ""
) -> list[tuple[str, Any, Any]]:
    found = []
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            found += _differences(one, other, f"{prefix}{name}.")
        elif one != other:
            found.append((f"{prefix}{name}", one, other))
    return found


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 20 else f"{text[:8]}..."
