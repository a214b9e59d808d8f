"""What stops the installation, told to a person."""


class SetUpError(Exception):
    """The message tells what failed and what to do."""
