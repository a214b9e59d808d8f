"""How well a model predicts images unlike those it was trained on.

    python -m tests.benchmarks.shifts --images FOLDER [--config fast] [--set KEY=VALUE …]
        [--shift subtype=virus …] [--work .bench/shifts] [--out FILE]

Trains once for each group that `dataset.hold_out` can hold out, with that group as the test set,
and prints how it is evaluated. Each has a root of its own under --work, so that a call that was
killed goes on, and one that is given again takes all from the cache. The folder's `test` takes no
part."""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from components.evaluator.evaluation import OVERALL
from serving.images.hold_out import Group

# The worst is the least of them, but of the calibration's error the greatest.
_WORST = {"auc": min, "accuracy": min, "sensitivity": min, "specificity": min, "ece": max}
FIGURES = tuple(_WORST)
# No model of a shift is pushed for use: none is to be refused, nor compared with a former one.
_UNBOUNDED = (
    "evaluation.minimum_auc=0",
    "evaluation.minimum_sensitivity=0",
    "evaluation.maximum_auc_drop=1",
    "evaluation.maximum_sensitivity_drop=1",
)


def table(shifts: Mapping[str, Mapping[str, float] | None]) -> str:
    """Draws the figures of each shift, their mean and the worst, as Markdown.

    Args:
        shifts: by group, the figures; None where the folder holds nothing like it.
    """
    found = [figures for figures in shifts.values() if figures]
    rows = [
        (group, *(f"{figures[name]:.4f}" for name in FIGURES), f"{figures['examples']:,}")
        if figures
        else (group, *("-" for _ in (*FIGURES, "examples")))
        for group, figures in shifts.items()
    ]
    if found:
        mean = (statistics.fmean(each[name] for each in found) for name in FIGURES)
        worst = (_WORST[name](each[name] for each in found) for name in FIGURES)
        rows.append(("mean", *(f"{value:.4f}" for value in mean), ""))
        rows.append(("worst", *(f"{value:.4f}" for value in worst), ""))
    head = ("held out", *FIGURES, "images")
    rule = ("---", *("---:" for _ in head[1:]))
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def predict(group: str, images: Path, work: Path, given: Sequence[str]) -> dict[str, float] | None:
    """Trains without a group and evaluates by it.

    Args:
        group: what is held out.
        images: the folder of images.
        work: gets a root for each group.
        given: further options of `cxr run`.

    Returns:
        The figures of the test split; None where the folder holds no such group.
    """
    root = work / group.replace("=", "-")
    sets = [f"--set={each}" for each in (*_UNBOUNDED, f"dataset.hold_out={group}")]
    command = [sys.executable, "-m", "pipeline", "run", "--json", f"--images={images}"]
    done = subprocess.run(
        [*command, f"--root={root}", *given, *sets], stdout=subprocess.PIPE, text=True, check=False
    )
    # Without a record the group was refused, and the command has said why.
    if not done.stdout:
        return None
    overall = json.loads(done.stdout)["evaluation"]["slices"][OVERALL]
    return {name: overall[name] for name in (*FIGURES, "examples")}


def main() -> None:
    """Trains, evaluates, prints."""
    groups = get_args(Group)
    parser = argparse.ArgumentParser(
        prog="tests.benchmarks.shifts", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--config", default="fast", help="as of cxr run")
    parser.add_argument("--set", action="append", default=[], help="as of cxr run")
    parser.add_argument("--shift", action="append", choices=groups, help="all if none is named")
    parser.add_argument(
        "--work", type=Path, default=Path(".bench/shifts"), help="gets a root a shift"
    )
    parser.add_argument("--out", type=Path, help="gets the figures, as JSON")
    options = parser.parse_args()
    given = [f"--config={options.config}", *(f"--set={each}" for each in options.set)]
    figures: dict[str, Any] = {}
    for group in options.shift or groups:
        figures[group] = predict(group, options.images.resolve(), options.work.resolve(), given)
        if options.out:
            options.out.write_text(json.dumps(figures, indent=2) + "\n")
    print(table(figures))
    if not any(figures.values()):
        sys.exit("No shift could be evaluated: see above.")


if __name__ == "__main__":
    main()
