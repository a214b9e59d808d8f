"""Helpers that the commands share."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

import click

from serving.process import interrupts, quoted_data, system_errors
from serving.process.scratch import of_user, scratch
from transform_module.errors import UserError
from transform_module.text import printable

P = ParamSpec("P")
R = TypeVar("R")


def for_people(command: Callable[P, R]) -> Callable[P, R]:
    """Ends a command in one sentence: exit code 1 for a mistake, 130 for Ctrl-C, 143 for SIGTERM.

    A signal decides, whatever error the command made of it, or none. Where nobody reads the output
    any more, as after `| head`, the exit code is 141 without a word, as if SIGPIPE had ended it.
    Temporary files of the command are gone when it ends.
    """

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with interrupts.listening():
            try:
                with _temporary_files():
                    result = command(*args, **kwargs)
                    sys.stdout.flush()
                interrupts.check()
                return result
            except BaseException as error:
                if interrupts.received() or isinstance(error, KeyboardInterrupt):
                    _end_interrupted(error)
                if isinstance(error, UserError):
                    raise click.ClickException(_with_names_on_one_line(error, kwargs)) from error
                if isinstance(error, BrokenPipeError):
                    _end_unread()
                if isinstance(error, click.ClickException | SystemExit):
                    raise
                if message := system_errors.explain(error):
                    raise click.ClickException(message) from error
                # Beam's own message may hold a record.
                sys.excepthook = quoted_data.print_error
                raise

    return wrapped


@contextmanager
def when_interrupted(message: str = "Repeat the command to resume.") -> Iterator[None]:
    """Reports what becomes of a command's work when it is interrupted; also a decorator.

    Args:
        message: a sentence for people.

    Raises:
        KeyboardInterrupt: with the message, for `for_people`.
    """
    try:
        yield
        interrupts.check()
    except BaseException as error:
        if interrupts.received() or isinstance(error, KeyboardInterrupt):
            raise KeyboardInterrupt(message) from error
        raise


@contextmanager
def _temporary_files() -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        # Where there is no place for them, a command that needs one says so itself.
        with contextlib.suppress(OSError):
            stack.enter_context(scratch(of_user()))
        yield


def _with_names_on_one_line(error: UserError, given: Mapping[str, Any]) -> str:
    """The message; a line's end that the user gave in an argument ends no line of it."""
    message = str(error)
    values = [each for value in given.values() for each in _each(value)]
    for value in values:
        for name in (str(Path(value).absolute()), str(value), str(value).partition("=")[0]):
            if "\n" in name:
                message = message.replace(printable(name, keep="\n\t"), printable(name))
    return message


def _each(value: object) -> list[str | Path]:
    values = value if isinstance(value, tuple) else (value,)
    return [each for each in values if isinstance(each, str | Path)]


def _end_interrupted(error: BaseException) -> NoReturn:
    number = interrupts.received() or signal.SIGINT
    message = error.args if isinstance(error, KeyboardInterrupt) else ()
    with interrupts.held(), contextlib.suppress(OSError):
        click.echo(" ".join((interrupts.how(number), *message)), err=True)
    sys.exit(128 + number)


def _end_unread() -> NoReturn:
    """Ends when the reader of the output has gone; what is buffered for it goes nowhere."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    sys.exit(128 + signal.SIGPIPE)
