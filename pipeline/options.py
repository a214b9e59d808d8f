"""Options that several commands take."""

import click

config = click.option(
    "--config",
    "source",
    metavar="FILE",
    help="YAML file, or a preset: best, demo, fast, kaggle, search.",
)
overrides = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change one key, such as trainer.epochs=3; may be repeated.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
