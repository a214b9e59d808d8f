"""Parameters of a training."""

from dataclasses import dataclass, field
from typing import Any

from trainer_module.settings.search import TunerSettings
from trainer_module.settings.trainer import TrainerSettings
from transform_module.settings import TransformSettings


@dataclass(frozen=True)
class Job:
    """What the pipeline hands over in ``custom_config``.

    Attributes:
        settings: the model and its training.
        seed: of the weights, the dropout, the order and the augmentation.
        dataset_fingerprint: of the data that the examples came from, for the model's record.
        code_version: of the modules that run here, for the model's record.
        checkpoint_dir: folder for the state of unfinished trainings; an empty text is a temporary
            one, so that a training that is killed begins anew.
        profile: whether some steps of the first epoch are profiled for TensorBoard.
        transform: what the pixels were made with, for the model's record.
        tuner: the search whose best settings are trained, None where there is none.
    """

    settings: TrainerSettings
    seed: int
    dataset_fingerprint: str
    code_version: str
    checkpoint_dir: str
    profile: bool = False
    transform: TransformSettings = field(default_factory=TransformSettings)
    tuner: TunerSettings | None = None

    @classmethod
    def from_custom_config(cls, config: dict[str, Any]) -> "Job":
        """Reads what `custom_config` builds."""
        values = {
            **config,
            "settings": TrainerSettings(**config["settings"]),
            "transform": TransformSettings(**config.get("transform", {})),
        }
        if tuner := config.get("tuner"):
            values["tuner"] = TunerSettings(**tuner)
        return cls(**values)

    def custom_config(self) -> dict[str, Any]:
        """Turns into plain values for the Trainer's ``custom_config``."""
        values = {
            **self.__dict__,
            "settings": self.settings.model_dump(mode="json"),
            "transform": self.transform.model_dump(mode="json"),
        }
        if self.tuner:
            values["tuner"] = self.tuner.model_dump(mode="json")
        return values
