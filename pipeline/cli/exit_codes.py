"""Exit codes of commands whose images are all unreadable."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from transform_module.errors import NothingValid

NOTHING_VALID: Final = 4


@contextmanager
def where_nothing_is_valid() -> Iterator[None]:
    """Turns `NothingValid` into its message and the exit code NOTHING_VALID."""
    try:
        yield
    except NothingValid as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(NOTHING_VALID)
