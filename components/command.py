"""What the commands share."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from components.errors import UserError

P = ParamSpec("P")
R = TypeVar("R")


def for_people(command: Callable[P, R]) -> Callable[P, R]:
    """Turns a user's mistake into its message and exit code 1."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except UserError as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            click.echo("Interrupted. The same command goes on from here.", err=True)
            sys.exit(130)

    return wrapped
