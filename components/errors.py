"""The error that a person reads."""


class UserError(Exception):
    """What a user can mend: the message tells what is wrong, where, and what to do."""
