"""What is run for each row of the table: ours and its peer in turn, round by round."""

import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from pipeline.run import allocator
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
        images: the images.
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

    @property
    def transformed(self) -> Path:
        """Transform's output of the last run with a small model."""
        return next((self.work / "small/artifacts/Transform/transformed_examples").iterdir())

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
    run: tuple[str | Path, ...] = (_CXR, "run", "--images", bench.images, *_SMALL_MODEL, "--root")
    # A round takes more than a minute.
    for _ in range(min(bench.rounds, 3)):
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
        (imports,) = re.findall(
            r"Start TensorFlow and TFX\s+([\d.]+) s", bench.log("cached rerun").read_text()
        )
        bench.found["cached_run"].add(last_record(root)["seconds"] - float(imports))
    listed = json.loads(splits.read_text())
    images = len(listed["train"]) + len(listed["eval"])
    transformed = root / "artifacts" / "Transform" / "transformed_examples"
    bench.found["transformed"].compare(size_of(transformed), images * 160 * 160)
    models = size_of(root / "artifacts" / "Trainer") + size_of(root / "artifacts" / "Baseline")
    kept = size_of(root / "artifacts", root / "dataset") - models
    bench.found["disk"].compare(kept, size_of(bench.images))


def training(bench: Bench) -> None:
    """The trainer's own step beside the same one fed from memory."""
    steps = ("--rounds", str(bench.rounds), "--steps", "20")
    bench.run(
        "training steps",
        sys.executable,
        "-m",
        "tests.benchmarks.training",
        bench.transformed,
        *steps,
    )
    found = bench.last_line("training steps")
    for ours, theirs in zip(found["trainer"], found["memory"], strict=True):
        bench.found["step"].compare(ours, theirs)
    for faults in found["faults"]:
        bench.found["faults"].add(faults)


def first_run(bench: Bench) -> None:
    """The real model for the same epochs: our whole run, the plain script, Keras's guide."""
    epochs = str(bench.epochs)
    root = bench.fresh("real")
    run: tuple[str | Path, ...] = (_CXR, "run", "--images", bench.images)
    run = (*run, "--set", f"trainer.epochs={epochs}", "--root")
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
        if line.startswith("{") and (output := json.loads(line))["val_auc"] >= TARGET_AUC:
            reached = output["at"]
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


def growth(bench: Bench, *, few: int = 2_000, many: int = 20_000, most: int = 100_000) -> None:
    """A whole run on two sizes of synthetic sets, and its part up to Transform on a third."""
    drawn = bench.fresh("drawn")
    bench.run("draw", _CXR, "synth", drawn, "--count", str(few))
    images = {
        count: multiplied(drawn, bench.fresh(f"drawn-{count}"), count // few)
        for count in (few, many, most)
    }

    def compare(row: str, what: str, counts: tuple[int, int], *command: str | Path) -> None:
        less, more = (
            bench.run(
                f"{what}, {count:,} images",
                *command,
                "--images",
                images[count],
                "--root",
                bench.fresh("grown"),
            )
            for count in counts
        )
        bench.found[f"{row}_memory"].compare(more.peak_memory, less.peak_memory)
        bench.found[f"{row}_time"].compare(more.seconds / counts[1], less.seconds / counts[0])

    compare("growth", "run", (few, many), _CXR, "run", *_SMALL_MODEL)
    up_to_transform = (sys.executable, "-m", "tests.benchmarks.data_only")
    compare("large", "up to Transform", (many, most), *up_to_transform)


def loading(bench: Bench) -> None:
    """The trainer's input beside another framework's, from the images' folders."""
    if not find_spec("torch"):
        print("PyTorch is not here, and its loader is left out: pip install '.[bench]'")
        return
    ours = (sys.executable, "-m", "tests.benchmarks.loading", bench.transformed)
    for _ in range(bench.rounds):
        bench.run("trainer's input", *ours)
        bench.peer("PyTorch's loader", "torch_loader.py", bench.work / "splits.json", tuned=False)
        found, theirs = map(bench.last_line, ("trainer's input", "PyTorch's loader"))
        bench.found["loading"].compare(median(found[1:]), median(theirs[1:]))


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
    "loading": loading,
    "start": start,
    "setup": setup,
    "first_run": first_run,
    "growth": growth,
}
"""In the order in which they run: a later one reads what an earlier one made."""


def write_splits(images: Path, dataset: Path, out: Path) -> None:
    """Lists the images of a converted dataset as [path, label], by split."""
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
            for image in (images / split / label).glob("*.jpeg"):
                (out / label / f"{split}-{image.name}").symlink_to(image)
    return out


def multiplied(images: Path, out: Path, times: int) -> Path:
    """Copies images so that no two are equal bytes, and no patient has more of them.

    Args:
        images: JPEGs with the names of the public dataset.
        out: gets `times` as many.
        times: how many of each; 1 copies them.
    """
    for image in images.rglob("*.jpeg"):
        content = image.read_bytes()
        folder = out / image.parent.relative_to(images)
        folder.mkdir(parents=True, exist_ok=True)
        for copy in range(times):
            # T.81, section B.2.4.5: marker, length with itself, text. The first number in a name is
            # the patient's.
            comment = b"\xff\xfe" + (10).to_bytes(2, "big") + f"{copy:08}".encode()
            name = re.sub(r"(?<=person)\d+|(?<=IM-)\d+", rf"\g<0>{copy:03}", image.name, count=1)
            (folder / name).write_bytes(content[:2] + comment + content[2:])
    return out


def last_record(root: Path) -> dict[str, Any]:
    """The record of a root's last run."""
    return json.loads(max((root / "runs").glob("[!.]*.json")).read_text())


def size_of(*paths: Path) -> int:
    """Bytes of all files in folders; one that has several names counts once."""
    found = (file.stat() for path in paths for file in path.rglob("*") if file.is_file())
    return sum({each.st_ino: each.st_size for each in found}.values())


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
