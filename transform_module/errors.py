"""The error that a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transform_module.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import ValidationError


class UserError(Exception):
    """An error that a user can fix: the message says what is wrong, where, and what to do."""

    def __str__(self) -> str:
        """Returns the message; names in it are safe to print."""
        return printable(super().__str__(), keep="\n\t")


class NothingValid(UserError):
    """None of the images that were given can be used."""


def first_mistake(error: ValidationError) -> str:
    """Returns the first thing that is wrong with a file of ours, as `field: what`."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'content'}: {first['msg']}"


def refuse(headline: str, problems: Iterable[str]) -> None:
    """Reports all that is wrong at once, a line for each problem; does nothing where nothing is.

    Raises:
        UserError: there is a problem.
    """
    listed = "".join(f"\n  {problem}" for problem in problems)
    if listed:
        raise UserError(f"{headline}:{listed}")
