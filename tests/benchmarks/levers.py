"""What each lever of a training does for images as other places take them.

    python -m tests.benchmarks.levers ROOT --config fast [--seed 7 …] [--out FILE]
        --lever both= --lever crops=augmentation.margin=0 --lever "long=epochs=40,patience=40"

Trains on the transformed examples of the latest run under ROOT (`cxr run --config … --root ROOT`),
once for each lever and seed. Each model then predicts the split eval as it is, and shifted in every
way: what counts is the lowest AUC between NORMAL of one of these views and PNEUMONIA of another.
The split test takes no part. A row a training goes to FILE as it ends, so that a call that was
killed goes on."""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from transform_module.images.shifts import SHIFTS

VIEWS = ("eval", *SHIFTS)


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Draws the AUC of each lever's views, the mean over its seeds, as Markdown."""
    by_lever: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_lever.setdefault(row["lever"], []).append(row)
    head = ("lever", *VIEWS, "worst pair (least to most)", "ECE", "specificity", "minutes")
    lines = [head, ("---", *("---:" for _ in head[1:]))]
    for lever, trained in by_lever.items():
        worst = [row["worst_pair"] for row in trained]
        lines.append(
            (
                lever,
                *(f"{statistics.fmean(row['auc'][view] for row in trained):.4f}" for view in VIEWS),
                f"{statistics.fmean(worst):.4f} ({min(worst):.4f} to {max(worst):.4f})",
                *(
                    f"{statistics.fmean(row[name] for row in trained):.3f}"
                    for name in ("ece", "specificity")
                ),
                f"{statistics.fmean(row['seconds'] for row in trained) / 60:.1f}",
            )
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def train(root: Path, config: str, lever: Sequence[str], seed: int) -> dict[str, Any]:
    """Trains, and predicts each view.

    Args:
        root: whose latest transformed examples are read.
        config: as of `cxr run`.
        lever: settings of the section `trainer`, ``key=value``.
        seed: of the training.

    Returns:
        AUC by view; the lowest AUC between NORMAL of one view and PNEUMONIA of another; the mean
        calibration error of all views, and specificity and sensitivity at the model's threshold;
        the seconds of the training.
    """
    import numpy as np
    import tensorflow as tf

    from pipeline.config.config_file import load
    from serving.analysis.figures import figures
    from trainer_module.input import batches, shifted
    from trainer_module.job import Job
    from trainer_module.run import run_fn

    chosen = load(config, [f"trainer.{each}" for each in lever])
    examples = _latest(root, "transformed_examples")
    files = {split: [f"{examples}/Split-{split}/*"] for split in ("train", "eval")}
    with tempfile.TemporaryDirectory(prefix="lever-") as folder:
        job = Job(chosen.trainer, seed, "", "", "", transform=chosen.transform)
        started = time.monotonic()
        run_fn(
            SimpleNamespace(
                custom_config=job.custom_config(),
                transform_output=str(_latest(root, "transform_graph")),
                hyperparameters=None,
                train_files=files["train"],
                eval_files=files["eval"],
                serving_model_dir=f"{folder}/model",
                model_run_dir=f"{folder}/run",
            )
        )
        seconds = time.monotonic() - started
        record = json.loads(Path(folder, "model/assets.extra/model.json").read_text())
        model = tf.saved_model.load(f"{folder}/model")
        evaluation = batches.read(batches.files_of(files["eval"]), chosen.transform.size)
        views = [evaluation, *shifted.shifted(evaluation, chosen.transform)]
        predict = model.signatures["serve_pixels"]
        labels, probabilities = [], []
        for view in views:
            predicted = [
                predict(image_xf=pixels)["probability"].numpy()[weight.numpy() > 0]
                for pixels, _, weight in batches.evaluation_batches(view, 32)
            ]
            labels.append(view.labels == 1)
            probabilities.append(np.concatenate(predicted).ravel())

    def over(normal: int, pneumonia: int) -> dict[str, float]:
        of = [
            probabilities[normal][~labels[normal]],
            probabilities[pneumonia][labels[pneumonia]],
        ]
        positive = np.repeat([False, True], [len(some) for some in of])
        once = np.ones((1, len(positive)))
        found = figures(positive, np.concatenate(of), record["threshold"], once)
        return {name: float(value[0]) for name, value in found.items()}

    places = range(len(VIEWS))
    each = [over(view, view) for view in places]
    return {
        "auc": dict(zip(VIEWS, (found["auc"] for found in each), strict=True)),
        "worst_pair": min(over(one, other)["auc"] for one in places for other in places),
        "ece": statistics.fmean(found["ece"] for found in each),
        "specificity": statistics.fmean(found["specificity"] for found in each),
        "sensitivity": statistics.fmean(found["sensitivity"] for found in each),
        "seconds": seconds,
    }


def _latest(root: Path, name: str) -> Path:
    return max((root / "artifacts" / "Transform" / name).iterdir(), key=lambda path: int(path.name))


def main() -> None:
    """Trains, predicts, prints."""
    parser = argparse.ArgumentParser(
        prog="tests.benchmarks.levers", description=__doc__.splitlines()[0]
    )
    parser.add_argument("root", type=Path)
    parser.add_argument("--config", default="fast", help="as of cxr run")
    parser.add_argument("--lever", action="append", required=True, metavar="NAME=KEY=VALUE,…")
    parser.add_argument("--seed", type=int, action="append", help="7 if none is given")
    parser.add_argument("--out", type=Path, default=Path(".bench/levers.jsonl"))
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    lines = options.out.read_text().splitlines() if options.out.exists() else []
    rows = [json.loads(line) for line in lines]
    levers = dict(each.split("=", 1) for each in options.lever)
    for seed in options.seed or [7]:
        for name, changes in levers.items():
            lever = [each for each in changes.split(",") if each]
            what = {"lever": name, "config": options.config, "set": lever, "seed": seed}
            if any(what.items() <= row.items() for row in rows):
                continue
            rows.append(what | train(options.root, options.config, lever, seed))
            with options.out.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()
