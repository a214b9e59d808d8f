"""The command `cxr` as a group whose errors propose what was probably meant."""

import shlex
from typing import Any, Final

import click

from transform_module.did_you_mean import nearest

# Other words for what the commands do.
_SYNONYMS: Final = {
    "train": "run",
    "fit": "run",
    "start": "run",
    "demo": "run",
    "push": "run",
    "resume": "run",
    "list": "runs",
    "show": "runs",
    "history": "runs",
    "compare": "runs",
    "status": "runs",
    "prepare": "convert",
    "import": "convert",
    "generate": "synth",
    "test": "evaluate",
    "eval": "evaluate",
    "validate": "evaluate",
    "infer": "predict",
    "inference": "predict",
    "classify": "predict",
    "heatmap": "explain",
    "gradcam": "explain",
    "server": "serve",
    "deploy": "serve",
    "tflite": "export",
    "settings": "config",
    "presets": "config",
    "clear": "clean",
    "remove": "clean",
    "undo": "rollback",
}


class Commands(click.Group):
    """Click's group; the message about an unknown command names the nearest one."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command that the arguments begin with, or raises a usage error."""
        name = args[0]
        known = self.get_command(ctx, name) is not None
        if not known and not name.startswith("-") and not ctx.resilient_parsing:
            names = {each: each for each in self.commands} | _SYNONYMS
            near = nearest(name, names)
            advice = f" Did you mean {names[near]}?" if near else ""
            ctx.fail(f"No such command {name!r}.{advice}")
        return super().resolve_command(ctx, args)


class ImagesByOption(click.Command):
    """A command that takes its images by `--images`, and says so where they are given without."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Reads the arguments, of which each belongs to an option."""
        ctx.allow_extra_args = True
        rest: Any = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            ctx.fail(
                f"Unexpected argument {rest[0]}. The folder of images is an option: "
                f"{ctx.command_path} --images {shlex.quote(rest[0])}"
            )
        return list(rest)
