"""The type of a command's argument that is a path on this machine."""

import os
from pathlib import Path

import click

from serving.files.local_paths import require_local
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
        name = "--" + str(param.name) if isinstance(param, click.Option) else None
        what = name or (param.human_readable_name if param else "The path")
        try:
            require_local(os.fspath(value), what.replace("_", "-"))
        except UserError as error:
            raise click.ClickException(str(error)) from error
        return super().convert(value, param, ctx)
