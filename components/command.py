"""What the commands share."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        except KeyboardInterrupt as error:
            click.echo(" ".join(("Interrupted.", *error.args)), err=True)
            sys.exit(130)

    return wrapped


@contextmanager
def when_interrupted(told: str = "The same command goes on from here.") -> Iterator[None]:
    """Has a command that is interrupted within tell what becomes of its work; also a decorator.

    Args:
        told: a sentence for people.

    Raises:
        KeyboardInterrupt: with what is told, for `for_people`.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(told) from error
