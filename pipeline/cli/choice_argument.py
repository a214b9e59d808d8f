"""The type of a command's argument that is one of a few names."""

from typing import Any

import click

from transform_module.did_you_mean import did_you_mean


class Choice(click.Choice):
    """Click's, whose error proposes the nearest name."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """Returns the error of a value that is not among the choices."""
        message = super().get_invalid_choice_message(value, ctx)
        return message + did_you_mean(str(value), map(str, self.choices))
