"""What is run for each row of the table: ours and its peer in turn, round by round."""

import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components import allocator
from tests.benchmarks import measure
from tests.benchmarks.goals import Figures
from tests.benchmarks.measure import Cost
from tests.benchmarks.starting import PROCESSES

_PEERS = Path(__file__).parent / "peers"
_REPOSITORY = Path(__file__).parents[2]
_CXR = Path(sys.executable).with_name("cxr")
# A model that trains in seconds and is pushed whatever it learnt: the rest is what is measured.
_SMALL_MODEL = tuple(
    part
    for setting in (
        "trainer.epochs=1",
        "trainer.cnn.filters=[8]",
        "trainer.cnn.dense_units=[16]",
        "evaluation.minimum_auc=0",
        "evaluation.minimum_sensitivity=0",
    )
    for part in ("--set", setting)
)
_WIDER = ("--set", "trainer.cnn.dense_units=[528,256,128]")
TARGET_AUC = 0.95


@dataclass
class Bench:
    """Where it is measured, and what was found.

    Attributes:
        work: a folder for all that is made; emptied before each use.
        images: the pictures.
        rounds: of what is short.
        epochs: of what trains the real model.
        found: the rows' figures, by their names in `goals.GOALS`.
        costs: every measured command, by what it is.
    """

    work: Path
    images: Path
    rounds: int
    epochs: int
    found: dict[str, Figures] = field(default_factory=lambda: defaultdict(Figures))
    costs: dict[str, list[Cost]] = field(default_factory=lambda: defaultdict(list))

    def run(self, what: str, *command: str | Path, tuned: bool = True) -> Cost:
        """Runs one command and keeps what it cost.

        Args:
            what: its name.
            command: program and arguments.
            tuned: with the allocator that the trainer has.
        """
        variables = {"TF_CPP_MIN_LOG_LEVEL": "2", **(allocator.environment() if tuned else {})}
        cost = measure.run(command, self.log(what), variables=variables)
        self.costs[what].append(cost)
        print(f"{what:32} {cost.seconds:8.1f} s  {cost.peak_memory / 1e9:6.2f} GB", flush=True)
        return cost

    def log(self, what: str) -> Path:
        """Where the last such command's output stands."""
        return self.work / f"{what.replace(' ', '-')}.log"

    def peer(self, what: str, name: str, *arguments: str | Path, tuned: bool = True) -> Cost:
        """Runs a script of peers/."""
        return self.run(what, sys.executable, _PEERS / name, *arguments, tuned=tuned)

    def fresh(self, name: str) -> Path:
        """A folder that is not there."""
        path = self.work / name
        shutil.rmtree(path, ignore_errors=True)
        return path

    def last_line(self, what: str) -> Any:
        """The JSON that such a command printed last."""
        return json.loads(self.log(what).read_text().splitlines()[-1])


def convert(bench: Bench) -> None:
    """`cxr convert` beside the loop that only reads and writes."""
    splits = bench.work / "splits.json"
    for _ in range(bench.rounds):
        ours = bench.run("cxr convert", _CXR, "convert", bench.images, bench.fresh("dataset"))
        if not splits.exists():
            write_splits(bench.images, bench.work / "dataset", splits)
        theirs = bench.peer("bare copy", "bare.py", "copy", splits, bench.fresh("copied"))
        count = sum(map(len, json.loads(splits.read_text()).values()))
        bench.found["convert"].compare(count / ours.seconds, count / theirs.seconds)


def data(bench: Bench) -> None:
    """A first run with a small model beside the bare loops, then the same run from its cache."""
    splits = bench.work / "splits.json"
    run = (_CXR, "run", "--images", bench.images, *_SMALL_MODEL, "--root")
    for _ in range(bench.rounds):
        root = bench.fresh("small")
        first = bench.run("first run, small model", *run, root)
        record = last_record(root)
        seconds = {each["name"]: each["seconds"] for each in record["components"]}
        model = Path(record["push"]["path"])
        loops = bench.peer(
            "bare loops", "bare.py", "all", splits, bench.fresh("c"), bench.fresh("t"), model
        )
        bare = bench.last_line("bare loops")
        bench.found["data"].compare(first.seconds - seconds["Trainer"], loops.seconds)
        bench.found["transform"].compare(seconds["Transform"], bare["transform"])
        again = bench.run("cached rerun", *run, root)
        bench.found["cached"].add(again.seconds)
        imports = re.search(
            r"Start TensorFlow and TFX\s+([\d.]+) s", bench.log("cached rerun").read_text()
        )
        bench.found["cached_run"].add(last_record(root)["seconds"] - float(imports[1]))
    listed = json.loads(splits.read_text())
    pictures = len(listed["train"]) + len(listed["eval"])
    transformed = root / "artifacts" / "Transform" / "transformed_examples"
    bench.found["transformed"].compare(size_of(transformed), pictures * 160 * 160)
    models = size_of(root / "artifacts" / "Trainer") + size_of(root / "artifacts" / "Baseline")
    kept = size_of(root / "artifacts") - models + size_of(root / "dataset")
    bench.found["disk"].compare(kept, size_of(bench.images))


def training(bench: Bench) -> None:
    """The trainer's own step beside the same one fed from memory."""
    examples = next((bench.work / "small/artifacts/Transform/transformed_examples").iterdir())
    steps = ("--rounds", str(bench.rounds), "--steps", "20")
    bench.run("training steps", sys.executable, "-m", "tests.benchmarks.training", examples, *steps)
    found = bench.last_line("training steps")
    for ours, theirs in zip(found["trainer"], found["memory"], strict=True):
        bench.found["step"].compare(ours, theirs)
    for faults in found["faults"]:
        bench.found["faults"].add(faults)


def first_run(bench: Bench) -> None:
    """The real model for the same epochs: our whole run, the plain script, Keras's guide."""
    epochs = str(bench.epochs)
    root = bench.fresh("real")
    run = (_CXR, "run", "--images", bench.images, "--set", f"trainer.epochs={epochs}", "--root")
    ours = bench.run("first run", *run, root)
    theirs = bench.peer(
        "plain Keras", "plain_keras.py", bench.work / "splits.json", bench.fresh("plain"),
        "--epochs", epochs,
    )  # fmt: skip
    bench.found["first"].compare(ours.seconds, theirs.seconds)
    guide = bench.peer(
        "Keras's guide", "guide.py", class_folders(bench.images, bench.fresh("classes")),
        "--epochs", epochs, tuned=False,
    )  # fmt: skip
    reached = guide.seconds
    for line in bench.log("Keras's guide").read_text().splitlines():
        if line.startswith("{") and (told := json.loads(line))["val_auc"] >= TARGET_AUC:
            reached = told["at"]
            break
    bench.found["target"].compare(_reached(root, ours), reached)
    wider = bench.run("rerun, wider", *run, root, *_WIDER)
    trained = next(
        each["seconds"] for each in last_record(root)["components"] if each["name"] == "Trainer"
    )
    bench.found["width"].compare(wider.seconds, trained)


def start(bench: Bench) -> None:
    """What each kind of process imports, beside TensorFlow alone."""
    for _ in range(bench.rounds):
        seconds = {
            name: bench.run(
                f"start: {name}", sys.executable, "-m", "tests.benchmarks.starting", name
            ).seconds
            for name in PROCESSES
        }
        alone = seconds.pop("tensorflow")
        bench.found["start"].compare(max(seconds.values()), alone)


def growth(bench: Bench, *, few: int = 2_000, many: int = 20_000) -> None:
    """Conversion and the data's components on two sizes of synthetic sets."""
    costs = {}
    for count in (few, many):
        images, root = bench.work / f"synthetic-{count}", bench.fresh(f"grown-{count}")
        if not images.exists():
            bench.run(f"draw {count}", _CXR, "synth", images, "--images", str(count))
        costs[count] = bench.run(
            f"data of {count}", _CXR, "run", "--images", images, "--root", root, *_SMALL_MODEL
        )
    ours, theirs = costs[many], costs[few]
    bench.found["growth_memory"].compare(ours.peak_memory, theirs.peak_memory)
    bench.found["growth_time"].compare(ours.seconds / many, theirs.seconds / few)


def setup(bench: Bench) -> None:
    """The set-up of a fresh clone, its packages in the cache of a former one."""
    clone = bench.fresh("clone")
    subprocess.run(["git", "clone", "--quiet", str(_REPOSITORY), str(clone)], check=True)
    cost = bench.run("set-up of a second clone", "make", "-C", clone, "setup", tuned=False)
    bench.found["setup"].add(cost.seconds)
    shutil.rmtree(clone)


SUITES: dict[str, Callable[[Bench], None]] = {
    "convert": convert,
    "data": data,
    "training": training,
    "start": start,
    "setup": setup,
    "first_run": first_run,
    "growth": growth,
}
"""In the order in which they run: a later one reads what an earlier one made."""


def write_splits(images: Path, dataset: Path, out: Path) -> None:
    """Lists the pictures of a converted dataset as [path, label], by split."""
    import tensorflow as tf

    splits: dict[str, list[tuple[str, int]]] = {}
    for split in ("train", "eval", "test"):
        files = sorted(map(str, (dataset / split).glob("*.gz")))
        splits[split] = []
        for record in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator():
            found = tf.train.Example.FromString(record).features.feature
            name = found["filename"].bytes_list.value[0].decode()
            splits[split].append((str(images / name), found["label"].int64_list.value[0]))
    out.write_text(json.dumps(splits))


def class_folders(images: Path, out: Path) -> Path:
    """Links what is trained on as a folder a class."""
    for label in ("NORMAL", "PNEUMONIA"):
        (out / label).mkdir(parents=True)
        for split in ("train", "val"):
            for picture in (images / split / label).glob("*.jpeg"):
                (out / label / f"{split}-{picture.name}").symlink_to(picture)
    return out


def last_record(root: Path) -> dict[str, Any]:
    """The record of a root's last run."""
    return json.loads(max((root / "runs").glob("[!.]*.json")).read_text())


def size_of(path: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _reached(root: Path, whole: Cost) -> float:
    """Seconds until our training's validation AUC was the target; the whole run's where never."""
    record = last_record(root)
    log = Path(record["log"]).read_text()
    trained = 0.0
    for auc, seconds in re.findall(r"val_auc ([\d.]+).*?  (\d+) s", log):
        trained += float(seconds)
        if float(auc) >= TARGET_AUC:
            break
    else:
        return whole.seconds
    components = record["components"]
    names = [each["name"] for each in components]
    since_training = sum(each["seconds"] for each in components[names.index("Trainer") :])
    return whole.seconds - since_training + trained
