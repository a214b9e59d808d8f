"""Exit codes of commands that find no readable image, or something to look at in a dataset."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from transform_module.errors import NothingValid

NOTHING_VALID: Final = 4
"""None of the images that were given can be used."""

WARNINGS: Final = 5
"""`cxr inspect` found something that somebody should look at."""


@contextmanager
def where_nothing_is_valid() -> Iterator[None]:
    """Turns `NothingValid` into its message and the exit code NOTHING_VALID."""
    try:
        yield
    except NothingValid as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(NOTHING_VALID)
