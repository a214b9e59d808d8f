"""The weights that a training begins with."""

from trainer_module import models
from trainer_module.settings.trainer import TrainerSettings
from transform_module.errors import UserError


def require_pretrained(settings: TrainerSettings) -> None:
    """Checks, before the data is prepared, that the model's weights can be had.

    Raises:
        UserError: they cannot.
    """
    require = getattr(models.module(settings.model), "require_weights", None)
    if require is None:
        return
    try:
        require(settings.of_model)
    except models.WeightsError as error:
        raise UserError(f"trainer.model is {settings.model}: {error}") from error
