"""Exit codes of commands whose images are all unreadable."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from transform_module.errors import NothingUsable

NOTHING_USABLE: Final = 4


@contextmanager
def where_nothing_is_usable() -> Iterator[None]:
    """Turns `NothingUsable` into its message and the exit code NOTHING_USABLE."""
    try:
        yield
    except NothingUsable as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(NOTHING_USABLE)
