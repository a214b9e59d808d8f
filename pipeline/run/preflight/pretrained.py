"""The weights that a training begins with."""

from trainer_module.models import transfer
from trainer_module.models.backbones import WeightsError
from trainer_module.settings.trainer import TrainerSettings
from transform_module.errors import UserError


def require_pretrained(settings: TrainerSettings) -> None:
    """Checks, before the data is prepared, that the model's weights can be had.

    Raises:
        UserError: They cannot.
    """
    if settings.model != "transfer":
        return
    try:
        transfer.require_weights(settings.transfer)
    except WeightsError as error:
        raise UserError(f"trainer.model is transfer: {error}") from error
