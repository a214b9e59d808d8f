"""Options that several commands take."""

import json

import click

from pipeline.cli import completion
from pipeline.cli.choice_argument import Choice
from pipeline.cli.path_argument import LocalPath

images = click.option(
    "--images",
    type=LocalPath(),
    metavar="FOLDER",
    help="Folder of images, or a zip or tar file; without it synthetic ones.",
)
config = click.option(
    "--config",
    "source",
    metavar="FILE",
    shell_complete=completion.configurations,
    help="YAML file, or a preset: best, demo, fast, kaggle, search.",
)
overrides = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=completion.overrides,
    help="Change one key, such as trainer.epochs=3; may be repeated.",
)
labels = click.option(
    "--labels",
    metavar="TABLE",
    help="Table (CSV, TSV, Parquet) with the columns path and label.",
)
layout = click.option(
    "--layout",
    type=Choice(["nih", "chexpert", "mimic", "rsna", "vindr", "padchest", "kermany"]),
    help="Public dataset whose own tables have the labels.",
)
classes = click.option(
    "--classes",
    metavar="NAMES",
    help="How classes are called: '{NORMAL: [0, clear], PNEUMONIA: [1, covid]}'.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
root = click.option(
    "--root",
    type=LocalPath(),
    metavar="FOLDER",
    default="cxr-root",
    show_default=True,
    help="Folder of the data, the outputs, the history and, unless configured, the pushed model.",
)


def of_labels(labels: str | None, layout: str | None, classes: str | None) -> list[str]:
    """Returns what the options `labels`, `layout` and `classes` change in a configuration."""
    changes = [f"dataset.labels={json.dumps(labels)}"] if labels else []
    changes += [f"dataset.layout={layout}"] if layout else []
    return changes + ([f"dataset.classes={classes}"] if classes else [])
