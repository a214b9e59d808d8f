"""Options that several commands take."""

import click

from pipeline.cli import completion
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
