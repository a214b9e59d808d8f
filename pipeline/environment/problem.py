"""Errors that stop the installation."""


class SetUpError(Exception):
    """The message tells what failed and what to do."""
