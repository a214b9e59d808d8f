"""Number of a model's parameters, computed from its settings without TensorFlow."""

from trainer_module import models
from trainer_module.settings.trainer import TrainerSettings


def parameters(settings: TrainerSettings, size: int) -> int | None:
    """Returns the number of parameters, of all members of an ensemble together.

    Args:
        settings: of the training.
        size: side of the images, in pixels.

    Returns:
        None where the model's module does not say.
    """
    count = getattr(models.module(settings.model), "parameters", None)
    return None if count is None else int(settings.folds * count(settings.of_model, size))
