"""The rehearsal: every task of a compiled file, in the order of the graph."""

import json
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

from components.evaluator.evaluation import read_evaluation
from components.task import GOOGLE_CLOUD
from pipeline.cluster.rehearsal.compiled import Compiled, problems
from pipeline.cluster.rehearsal.invocation import Artifacts, Invocation
from pipeline.cluster.rehearsal.launcher import Launcher, launcher
from pipeline.cluster.rehearsal.places import localized
from pipeline.cluster.rehearsal.processes import Exact, Forks, Processes
from pipeline.cluster.rehearsal.task_container import Container
from pipeline.cluster.rehearsal.verdict import pushed_version, refuse_without_report
from pipeline.component_ids import EVALUATOR, PUSHER, REPORT, TRANSFORM
from pipeline.run.failure import without_data
from pipeline.run.preflight.own_function_check import own_code
from serving.beam.beam_args import BEAM_ARGS
from serving.process import quoted_data
from transform_module.errors import UserError, refuse

# Not a server's address, such as that of a store.
_REMOTE: Final = re.compile(r"(?<![a-z0-9+.-])(?!https?:)[a-z][a-z0-9+.-]*://[^\s\"',;]*")
_LOCAL: Final = re.compile(r"/[^\s\"',;]+")
_EXECUTOR: Final = "--executor_class_path"
_RAISED: Final = re.compile(r"^[\w.]*(Error|Exception|Interrupt)\b.*")
_OURS: Final = "transform_module.errors.UserError: "
_MISSING: Final = re.compile(r"KeyError: '(\w+)'|^'(\w+)'$")


@dataclass(frozen=True)
class Done:
    """A task that has ended well.

    Attributes:
        task: its name.
        seconds: it took so long.
        artifacts: what it made.
    """

    task: str
    seconds: float
    artifacts: Artifacts


@dataclass(frozen=True)
class Outcome:
    """What a rehearsal came to.

    Attributes:
        done: the tasks that ran, in the order of their ends.
        evaluation: what the Evaluator found; None where it is none of them.
        version: the pushed version's folder; None where the Pusher is none of them.
    """

    done: list[Done]
    evaluation: dict[str, Any] | None
    version: Path | None


@dataclass
class Rehearsal:
    """Where and how a compiled file is run.

    Attributes:
        compiled: the file.
        folder: for all that is made.
        source: holds the packages of the image.
        places: local folders by the remote place that they stand for in parameters.
        like: what hands the tasks their input; see `launcher.launcher`.
        exact: whether each task starts a process of its own.
        jobs: tasks at the same time.
        done: is called with each task that ends well.
    """

    compiled: Compiled
    folder: Path
    source: Path
    places: Mapping[str, str]
    like: str | None = None
    exact: bool = False
    jobs: int = 2
    done: Callable[[Done], None] = lambda _: None
    _made: dict[str, Artifacts] = field(default_factory=dict)

    def run(self, chosen: Collection[str] | None = None) -> Outcome:
        """Runs the tasks.

        Args:
            chosen: their names; all if None. What the others made comes from the last rehearsal.

        Raises:
            UserError: the specification is corrupted, a task failed, or the model that was pushed
                does not predict, or there is no report; with the task and the reason.
        """
        tasks = set(chosen if chosen is not None else self.compiled.tasks)
        used = launcher(self.compiled, self.like, self.folder, self.places)
        refuse("The pipeline cannot run", [*problems(self.compiled), *self._misplaced()])
        refuse("This cannot be rehearsed", [each for each in map(self._handed_on, tasks) if each])
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in self.compiled.tasks.keys() - tasks:
            self._made[name] = self._former(name)
        container = Container(self.folder / "container", self.source, self._own_code())
        with ExitStack() as stack:
            processes: Processes = (
                Exact(container)
                if self.exact
                else stack.enter_context(
                    Forks(container, self._imports(), self.folder / "imports.log")
                )
            )
            done = self._run(tasks, used, processes)
            version = None
            if PUSHER in tasks:
                version = pushed_version(self._made[PUSHER], self.folder, processes)
            if REPORT in tasks:
                refuse_without_report(self._made[REPORT])
        evaluation = None
        if EVALUATOR in tasks:
            (artifact,) = self._made[EVALUATOR]["evaluation"]
            evaluation = asdict(read_evaluation(str(used.path(artifact))))
        return Outcome(done, evaluation, version)

    def _run(self, tasks: set[str], used: Launcher, processes: Processes) -> list[Done]:
        waiting, ended = set(tasks), []
        with ThreadPoolExecutor(self.jobs) as pool, _stopped_when_interrupted(processes):
            running: dict[Future[Done], str] = {}
            while waiting or running:
                for name in sorted(waiting):
                    if not self.compiled.needs(name) & (waiting | set(running.values())):
                        running[pool.submit(self._task, name, used, processes)] = name
                waiting -= set(running.values())
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    del running[future]
                    ended.append(future.result())
                    self._made[ended[-1].task] = ended[-1].artifacts
                    self.done(ended[-1])
        return ended

    def _task(self, name: str, used: Launcher, processes: Processes) -> Done:
        started = time.monotonic()
        before = list((self.folder / "tasks" / name).glob("[0-9]*"))
        folder = self.folder / "tasks" / name / str(len(before) + 1)
        folder.mkdir(parents=True)
        log = folder / "log"
        invoked = used.start(name, self._made, folder)
        for command in filter(None, (invoked.driver, invoked.command)):
            code = processes.run(command, invoked.environment, log)
            quoted_data.clean_file(log)
            if code:
                raise UserError(_failure(invoked, code, log))
        artifacts = used.finish(invoked)
        self._remember(name, artifacts)
        return Done(name, time.monotonic() - started, artifacts)

    def _imports(self) -> list[str]:
        """Names the modules that the tasks run."""
        found: dict[str, None] = {}
        for task in sorted(self.compiled.tasks):
            container = self.compiled.executor(task).container
            if list(container.command[:2]) == ["python", "-m"]:
                found[container.command[2]] = None
            words = list(container.args)
            if _EXECUTOR in words[:-1]:
                path = words[words.index(_EXECUTOR) + 1]
                found[path.rpartition(".")[0]] = None
        return list(found)

    def _own_code(self) -> list[Path]:
        """Returns the code of the user's own function, which the image must hold, too."""
        given = self.compiled.value(TRANSFORM, "custom_config")
        function = json.loads(given)["settings"].get("function") if given else None
        return [own_code(function)] if function else []

    def _misplaced(self) -> list[str]:
        """Finds places that are not here, and those that would be in no cluster."""
        found = []
        for task in sorted(self.compiled.tasks):
            for name in sorted(self.compiled.tasks[task].inputs.parameters):
                value = self.compiled.value(task, name)
                if not isinstance(value, str):
                    continue
                where = f"{task}: inputs.parameters.{name}"
                for uri in _REMOTE.findall(localized(value, self.places)):
                    found.append(
                        f"{where} has {uri}, which is not on this machine; name a "
                        f"local folder: --map {uri}=FOLDER"
                    )
                for path in map(Path, _LOCAL.findall(_REMOTE.sub("", value))):
                    on_volume = any(map(path.is_relative_to, self.compiled.mounts))
                    if path.exists() and not on_volume:
                        found.append(
                            f"{where} has {path}, a path of this machine; no task in a cluster "
                            "finds it. Give a remote one."
                        )
        return found

    def _handed_on(self, task: str) -> str:
        """Returns why a task runs on Google Cloud; empty if it runs here."""
        words = list(self.compiled.executor(task).container.args)
        executor = words[words.index(_EXECUTOR) + 1] if _EXECUTOR in words[:-1] else ""
        inputs = self.compiled.component(task).input_definitions.parameters
        beam_args = self.compiled.value(task, BEAM_ARGS) if BEAM_ARGS in inputs else ""
        if not executor.startswith(GOOGLE_CLOUD) and "DataflowRunner" not in str(beam_args):
            return ""
        return (
            f"{task} hands its work to Google Cloud, which a rehearsal cannot replace; compile "
            "another file for the rehearsal: --set cluster.google_cloud=null"
        )

    def _remember(self, task: str, artifacts: Artifacts) -> None:
        content = {
            name: [json_format.MessageToDict(each) for each in found]
            for name, found in artifacts.items()
        }
        self._memory(task).write_text(json.dumps(content, indent=2), encoding="utf-8")

    def _former(self, task: str) -> dict[str, list[pipeline_spec_pb2.RuntimeArtifact]]:
        try:
            content: dict[str, Any] = json.loads(self._memory(task).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UserError(
                f"{task} has not been rehearsed in {self.folder}; rehearse all of it first."
            ) from None
        return {
            name: [
                json_format.ParseDict(each, pipeline_spec_pb2.RuntimeArtifact()) for each in found
            ]
            for name, found in content.items()
        }

    def _memory(self, task: str) -> Path:
        return self.folder / "tasks" / task / "artifacts.json"


@contextmanager
def _stopped_when_interrupted(processes: Processes) -> Iterator[None]:
    """Kills the tasks that run, for which the pool would wait."""
    try:
        yield
    except KeyboardInterrupt:
        processes.stop()
        raise


def _failure(invoked: Invocation, code: int, log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    raised = [line for line in lines if _RAISED.match(line)]
    said = raised[-1] if raised else (lines[-1] if lines else "it said nothing")
    if not said.startswith(_OURS):
        said = without_data(said.partition(":")[0] if raised else "its last line", said)
    message = f"{invoked.task}: it failed with exit code {code}: {said}"
    if match := _MISSING.search(said):
        name = match[1] or match[2]
        if name not in invoked.executor_input.inputs.artifacts:
            message += (
                f"\n{invoked.task} reads {name}, which its component does not declare; add it to "
                "inputs and compile again."
            )
    return f"{message}\nAll that it said is in {log}"
