"""The error of a training that cannot be done as it is configured."""


class TrainingError(ValueError):
    """What a user can fix: the message says what is wrong, where, and what to do."""


class DivergedError(TrainingError):
    """A training's loss is no longer a finite number."""
