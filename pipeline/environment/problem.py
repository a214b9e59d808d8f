"""Errors that stop the installation."""


class SetUpError(Exception):
    """The message says what failed and what to do."""
