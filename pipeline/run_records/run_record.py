"""Record of a run: one JSON file each, under the root."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from components.evaluator.evaluation import Evaluation
from transform_module.did_you_mean import did_you_mean
from transform_module.errors import UserError, first_mistake
from transform_module.files.sync import write_text

State = Literal["running", "finished", "refused", "failed", "interrupted", "killed", "damaged"]
"""`refused` is a run that finished without a push, `killed` one whose process is gone without
having written how it ended, and `damaged` a record that cannot be read; the last two are never
written."""

_SHOWN: Final = 5

COMPLETE: Final = ("finished", "refused")
"""The states of a run that came to its end."""


class _Record(BaseModel):
    """Records of earlier releases lack fields, and those of later ones have more."""

    model_config = ConfigDict(extra="ignore")


class StepRecord(_Record):
    """What one step of a run took."""

    name: str = Field(description="A component's id, or a few words.")
    start: float = Field(0.0, description="Seconds from the run's start to its own.")
    seconds: float = Field(0.0, description="Wall time.")
    peak_memory: int = Field(0, description="Bytes, of the whole process tree meanwhile.")


class ComponentRecord(StepRecord):
    """What one component did in a run."""

    state: Literal["finished", "cached", "failed", "interrupted"] = Field(
        description="How it ended."
    )
    why: str = Field("", description="Why it was not taken from the cache.")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Its parameters, as the cache sees them."
    )
    inputs: dict[str, list[str]] = Field(
        default_factory=dict, description="Folders of the artifacts that it read."
    )
    outputs: dict[str, list[str]] = Field(
        default_factory=dict, description="Folders of the artifacts that it made."
    )


class PushRecord(_Record):
    """Whether the run's model was pushed."""

    pushed: bool = Field(description="Whether it is in the push folder.")
    version: str = Field("", description="Its version there.")
    path: str = Field("", description="Its folder there.")
    reason: str = Field("", description="Why it was not pushed.")


class ReportRecord(_Record):
    """Where the run's report is."""

    page: str = Field("", description="The page; empty where there is none.")
    card: str = Field("", description="The model card; empty where there is none.")
    reason: str = Field("", description="Why there is none.")


class DataRecord(_Record):
    """How many images a run had."""

    splits: dict[str, dict[str, int]] = Field(
        default_factory=dict, description="Number of images by split and label."
    )
    patients_known: int | None = Field(
        None, description="Number of images whose patient is known; null where nothing says it."
    )
    patients_of: int | None = Field(None, description="Number of images that can be used.")
    quarantined: int = Field(0, description="Number of files in quarantine.csv.")
    skipped: int = Field(0, description="Number of files that are not images of the data set.")
    dropped: int = Field(0, description="Number of images left out, whose patient is in test.")

    @property
    def images(self) -> int:
        """Number of images in all splits."""
        return sum(sum(labels.values()) for labels in self.splits.values())


class TrainingRecord(_Record):
    """What was trained, whether in this run or in the one whose model the cache has."""

    epochs: int | None = Field(None, description="Number of epochs, of all members together.")
    parameters: int | None = Field(None, description="Number of the model's parameters.")


_EVALUATION: Final = TypeAdapter(Evaluation)


class RunRecord(_Record):
    """One run."""

    id: str = Field(description="Its name, from the time of its start.")
    state: State = Field("running", description="How it ended.")
    pid: int = Field(0, description="The process that ran it.")
    started: str = Field("", description="Local time, ISO 8601.")
    seconds: float = Field(0.0, description="Wall time, imports included.")
    orchestrator: str = Field("", description="What ran the components.")
    preset: str = Field("", description="The preset, or the file, of the configuration.")
    images: str = Field("", description="The folder of images.")
    dataset_fingerprint: str = Field("", description="Of the examples.")
    data: DataRecord | None = Field(None, description="Number of images.")
    recipe: str = Field("", description="Hash of all that decides the model.")
    config: dict[str, Any] = Field(default_factory=dict, description="The whole configuration.")
    steps: list[StepRecord] = Field(
        default_factory=list, description="What was done before the components, in its order."
    )
    components: list[ComponentRecord] = Field(default_factory=list, description="In their order.")
    epoch_seconds: list[float] = Field(
        default_factory=list, description="Wall time of each epoch that was trained in this run."
    )
    training: TrainingRecord | None = Field(None, description="What was trained.")
    evaluation: dict[str, Any] | None = Field(None, description="Content of evaluation.json.")
    push: PushRecord | None = Field(None, description="What became of the model.")
    report: ReportRecord | None = Field(None, description="The model's report.")
    error: str = Field("", description="Why it failed.")
    log: str = Field("", description="The log file.")
    timeline: str = Field("", description="The drawing of its time; empty without --profile.")

    @field_validator("evaluation")
    @classmethod
    def _filled_up(cls, evaluation: dict[str, Any] | None) -> dict[str, Any] | None:
        """Fills in the metrics that an earlier release did not have."""
        return evaluation and asdict(_EVALUATION.validate_python(evaluation))

    @model_validator(mode="after")
    def _says_refused(self) -> "RunRecord":
        """Earlier releases called a run finished whose model was refused."""
        if self.state == "finished" and self.push and not self.push.pushed:
            self.state = "refused"
        return self

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
        folder: their folder; need not exist.
        alive: the process that runs on the root now; another one that never recorded its end is
            dead.

    Returns:
        The records; for a file that cannot be read, one of the state `damaged` whose error says
        why.
    """
    paths = sorted(folder.glob("[!.]*.json"), key=lambda path: path.stem)
    return [_load(path, alive) for path in paths]


def _load(path: Path, alive: int | None) -> RunRecord:
    try:
        record = RunRecord.model_validate_json(path.read_bytes())
    except OSError as error:
        return _damaged(path, f"cannot be read: {error.strerror}")
    except ValidationError as error:
        return _damaged(path, f"is not a record of a run ({first_mistake(error)})")
    if record.state == "running" and record.pid != alive:
        return record.model_copy(update={"state": "killed"})
    return record


def _damaged(path: Path, problem: str) -> RunRecord:
    error = f"{path} {problem}. Remove it; nothing else depends on it."
    return RunRecord(id=path.stem, state="damaged", error=error)


def last_finished(records: Sequence[RunRecord], name: str) -> ComponentRecord | None:
    """Finds what a component did in the last run in which it ended well.

    Args:
        records: the oldest first.
        name: the component's id.

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
        records: as `load_all` returns them, at least one.
        run_id: its id, the beginning of no other run's id, or `last`.

    Raises:
        UserError: there is none of that id, or there are several that begin so.
    """
    if run_id == "last":
        return records[-1]
    found = [record for record in records if run_id and record.id.startswith(run_id)]
    found = [record for record in found if record.id == run_id] or found
    if len(found) > 1:
        names = ", ".join(record.id for record in found[-_SHOWN:])
        more = f"{len(found) - _SHOWN} more, " if len(found) > _SHOWN else ""
        raise UserError(f"{len(found)} runs begin with {run_id}: {more}{names}. Give more of it.")
    if not found:
        advice = did_you_mean(run_id, [record.id for record in records], cutoff=0.5)
        raise UserError(f"There is no run {run_id}.{advice} The latest is {records[-1].id}.")
    return found[0]


def why_not_cached(component: ComponentRecord, former: ComponentRecord | None) -> str:
    """Returns what differs from the last time that a component ended well.

    Args:
        component: what it did now.
        former: what it did then; None where it never ended well.

    Returns:
        A few words; empty where nothing that the cache sees differs.
    """
    if former is None:
        return "first time"
    changes = [
        f"{name} {_short(before)} -> {_short(after)}"
        for name, before, after in differences(former.parameters, component.parameters)
    ]
    changes += [f"other {name}" for name, _, _ in differences(former.inputs, component.inputs)]
    return ", ".join(changes[:3]) + (f", {len(changes) - 3} more" if len(changes) > 3 else "")


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = ""
) -> list[tuple[str, Any, Any]]:
    """Lists the values of two trees that differ, by dotted path; None is one that is missing."""
    found = []
    for name in sorted({*before, *after}):
        one, other = before.get(name), after.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            found += differences(one, other, f"{prefix}{name}.")
        elif one != other:
            found.append((f"{prefix}{name}", one, other))
    return found


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 20 else f"{text[:8]}..."
