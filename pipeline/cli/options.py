"""Options that several commands take."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

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
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
root = click.option(
    "--root",
    type=LocalPath(),
    metavar="FOLDER",
    default="cxr-root",
    show_default=True,
    help="Folder of the data, the outputs, the history and, unless configured, the pushed model.",
)

_Command = TypeVar("_Command", bound=Callable[..., Any])

_LABELS: Final = (
    click.option(
        "--labels",
        metavar="TABLE",
        help="Table (CSV, TSV, Parquet) with the columns path and label.",
    ),
    click.option(
        "--layout",
        type=Choice(["nih", "chexpert", "mimic", "rsna", "vindr", "padchest", "kermany"]),
        help="Public dataset whose own tables have the labels.",
    ),
    click.option(
        "--classes",
        metavar="NAMES",
        help="How classes are called: '{NORMAL: [0, clear], PNEUMONIA: [1, covid]}'.",
    ),
)
_DATASET: Final = (
    *_LABELS,
    click.option("--patient-pattern", metavar="REGEX", help="Its group is the patient's id."),
    click.option("--patients", metavar="TABLE", help="Table with the columns path and patient."),
    click.option(
        "--unlisted-patients",
        type=Choice(["refuse", "alone"]),
        help="What becomes of images that the table misses.  [default: refuse]",
    ),
    click.option(
        "--max-bad", type=float, help="Largest share of bad files that is taken. [default: 0.1]"
    ),
)


def labels(command: _Command) -> _Command:
    """Adds the options that say where labels are and what they are called."""
    return _with(_LABELS, command)


def dataset(command: _Command) -> _Command:
    """Adds the options that say what is known of images: labels, patients, how many are bad."""
    return _with(_DATASET, command)


def of_dataset(given: Mapping[str, Any]) -> list[str]:
    """Returns what the options of `labels` or `dataset` change in a configuration.

    Args:
        given: their values, by parameter; None where they are not given.
    """
    return [
        # Names of classes are YAML as it is written.
        f"dataset.{name}={value if name == 'classes' else json.dumps(value)}"
        for name, value in given.items()
        if value is not None
    ]


def _with(options: Sequence[Callable[[_Command], _Command]], command: _Command) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command
