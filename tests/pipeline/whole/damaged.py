"""Damages files of each kind under a root, and runs the same command on it.

Called as ``python -m tests.pipeline.whole.damaged FOLDER``: makes a root in FOLDER, and prints a
line of JSON for each trial. All runs are forks of this process, which imports TensorFlow and TFX
once.

``python -m tests.pipeline.whole.damaged FOLDER all`` damages each kind alone, which takes an hour,
and ``... FOLDER TEXT`` only the trials with a kind that holds a text.
"""

import importlib
import json
import os
import re
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests import forks
from tests.pipeline.command import SMALL

OURS = (
    "components.evaluator.component",
    "components.report",
    "components.serving_check.component",
    "pipeline.run.preflight.graph_check",
    "pipeline.training_code",
    "pipeline.run.whole_run",
    "pipeline.runners.local",
    "trainer_module.run",
)
"""Imported once, for all runs."""

DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "flipped": lambda content: (
        content[: len(content) // 2]
        + bytes([content[len(content) // 2] ^ 1])
        + content[len(content) // 2 + 1 :]
        if content
        else b"\1"
    ),
    "cut": lambda content: content[: len(content) // 2] if content else None,
    "removed": lambda _: None,
}


def kind(path: Path) -> str:
    """What a file is: its path, without the numbers of runs, versions, shards and images."""
    name = re.sub(r"(person|IM-|NORMAL2-|events\.)[\w.-]*", r"\1N", path.as_posix())
    return re.sub(r"\d+", "N", name)


def kinds(root: Path) -> dict[str, Path]:
    """One file of each kind under a root, by its kind."""
    found: dict[str, Path] = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            found.setdefault(kind(path.relative_to(root)), path.relative_to(root))
    return found


def run(root: Path, out: Path, before: Callable[[], object] = lambda: None) -> int:
    """Runs the small pipeline in a fork; its exit code, negative where a signal ended it."""
    config = root.parent / "small.yaml"
    config.write_text(SMALL)
    child = os.fork()
    if not child:
        try:
            descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
            os.dup2(descriptor, 1)
            os.dup2(descriptor, 2)
            before()
            from pipeline.cli.main import main

            main(["run", "--root", str(root), "--config", str(config)], prog_name="cxr")
        except SystemExit as end:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(70)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_after_training() -> None:
    """Lets this process die when the training is done and nothing of it is exported."""
    from trainer_module.export import saved_model

    saved_model.export = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)


TOGETHER = (
    # From these nothing is computed.
    r"\.lock|logs/|reports/|runs/|pushed/\w+/\.lock",
    # Each of these components is executed again, and comes to the same bytes: what follows is taken
    # from the cache, unless it is damaged itself.
    r"artifacts/(ImportExampleGen|StatisticsGen|SchemaGen|ExampleValidator)/",
    r"artifacts/(Evaluator|Report)/",
    # These are whole or not, file by file, which tests of their own find.
    r"artifacts/Transform/",
    r"artifacts/Trainer/",
    r"dataset/(?!dataset.json)",
    r"pushed/\w+/N/(?!manifest.json)",
    r"checkpoints/",
)
"""Groups that are damaged in one trial: nothing of one hides what becomes of another."""


def group(name: str) -> str:
    """The kinds that are treated alike: those of one artifact, and of the images."""
    depth = {"artifacts": 3, "images": 1, "pushed": 4, "checkpoints": 4}
    parts = name.split("/")
    return "/".join(parts[: depth.get(parts[0], len(parts))])


def trials(root: Path, *, all_kinds: bool = False) -> Iterator[dict[str, tuple[Path, str]]]:
    """The file and the damage by kind of each trial.

    Each group has one, unless all kinds are wanted: in turn another damage of another file.
    """
    groups: dict[str, list[tuple[str, Path]]] = {}
    for name, path in kinds(root).items():
        groups.setdefault(name if all_kinds else group(name), []).append((name, path))
    found: dict[str, dict[str, tuple[Path, str]]] = {}
    for number, members in enumerate(groups.values()):
        name, path = members[number % len(members)]
        together = [] if all_kinds else [each for each in TOGETHER if re.match(each, name)]
        trial = found.setdefault(together[0] if together else name, {})
        trial[name] = path, list(DAMAGES)[number % len(DAMAGES)]
    yield from found.values()


def outcome(root: Path, text: str, code: int) -> dict[str, Any]:
    """What a run came to."""
    from serving.versions import pushed

    records = sorted((root / "runs").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    record = json.loads(records[-1].read_bytes())
    version = (record["push"] or {}).get("path", "")
    return {
        "code": code,
        "text": text,
        "state": record["state"],
        "fingerprint": record["dataset_fingerprint"],
        "evaluation": record["evaluation"],
        "components": {each["name"]: each["state"] for each in record["components"]},
        "unverified": pushed.verify(version) if version else ["nothing is pushed"],
    }


def report(content: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


def main(folder: Path, *chosen: str) -> None:
    """Makes a whole root and one of a killed training, and goes through the trials of both."""
    from pipeline.run.allocator import tune_allocator

    # A run would start this program once more for it.
    tune_allocator()
    forks.import_slow()
    for module in OURS:
        importlib.import_module(module)

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    root, out = folder / "small", folder / "out.txt"
    folder.mkdir(parents=True, exist_ok=True)
    for state, before in {"whole": lambda: None, "killed": killed_after_training}.items():
        master = folder / state
        if state == "killed":
            # The same root as it was before the training: only what follows is missing.
            shutil.copytree(folder / "whole", root, symlinks=True)
            shutil.rmtree(root / "artifacts" / "Trainer")
        if not master.exists():
            code = run(root, out, before)
            report({"state": state, "code": code, "text": out.read_text()})
            root.rename(master)
        for trial in trials(master, all_kinds="all" in chosen):
            if (state == "killed") != any(name.startswith("checkpoints/") for name in trial):
                continue
            if chosen not in ((), ("all",)) and not any(
                each in name for each in chosen for name in trial
            ):
                continue
            shutil.rmtree(root, ignore_errors=True)
            shutil.copytree(master, root, symlinks=True)
            for path, damage in trial.values():
                content = DAMAGES[damage]((root / path).read_bytes())
                if content is None:
                    (root / path).unlink()
                else:
                    (root / path).write_bytes(content)
            code = run(root, out)
            result = outcome(root, out.read_text(errors="replace"), code)
            damages = {name: damage for name, (_, damage) in trial.items()}
            report({"damages": damages, **result})
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
