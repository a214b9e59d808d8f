"""The types of a command's arguments that are paths."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from serving.files.local_paths import place_of, require_local
from transform_module.errors import UserError


class LocalPath(click.Path):
    """A path; the address of a bucket or a server is refused, which `Path` would make a folder."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        """Makes a `Path` of what was given.

        Raises:
            click.ClickException: it is an address.
        """
        _checked(require_local, value, param)
        return super().convert(value, param, ctx)


class AnyPath(click.Path):
    """A path on this machine or in a store, such as s3://bucket/folder."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Makes a `Place` of what was given.

        Raises:
            click.ClickException: it is an address that cannot be read or written.
        """
        return _checked(place_of, value, param)


def _checked(
    check: Callable[[str, str], Any], value: str | os.PathLike[str], param: click.Parameter | None
) -> Any:
    name = "--" + str(param.name) if isinstance(param, click.Option) else None
    what = name or (param.human_readable_name if param else "The path")
    try:
        return check(os.fspath(value), what.replace("_", "-"))
    except UserError as error:
        raise click.ClickException(str(error)) from error
