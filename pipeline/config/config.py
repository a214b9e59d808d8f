"""Everything that can be chosen about a run: one frozen, typed, validated value.

`cxr config --show` prints every key of it with its meaning and default; those are here and in
the settings of the packages that it is composed of, and nowhere else.
"""

from typing import Literal

from pydantic import BaseModel, Field, model_validator

from components.evaluator.settings import EvaluationSettings
from components.serving_check.settings import ServingCheckSettings
from pipeline.config.cluster_settings import ClusterSettings
from serving.beam.beam_args import FLINK, flink_args
from serving.images.settings import DatasetSettings
from serving.report.settings import ReportSettings
from serving.versions.signing import SigningSettings
from trainer_module.settings.search import TunerSettings, misfits
from trainer_module.settings.trainer import TrainerSettings
from transform_module.settings import TransformSettings
from transform_module.strict import STRICT

Orchestrator = Literal["local", "beam"]


class SyntheticSettings(BaseModel):
    """The embedded images that a run uses when it is given no images."""

    model_config = STRICT

    images: int = Field(600, ge=60, description="Images to draw.")


class PushSettings(BaseModel):
    """Where a blessed model goes: `{directory}/{model_name}/{version}/`."""

    model_config = STRICT

    model_name: str = Field(
        "chest_xray",
        pattern=r"^[A-Za-z0-9_-]+$",
        max_length=63,
        description="The model's name, which TensorFlow Serving has in its URLs.",
    )
    directory: str | None = Field(
        None, description="The folder a server watches; null is `pushed` under the root."
    )
    again: bool = Field(
        False, description="Whether a model is pushed that was rolled back (`cxr rollback`)."
    )
    keep: int | None = Field(
        None,
        ge=2,
        description="Pushed versions that `cxr clean` leaves, the latest ones; null leaves all.",
    )
    signing: SigningSettings = Field(
        default_factory=SigningSettings, description="Who signs what is pushed."
    )


class BeamSettings(BaseModel):
    """How Beam runs the conversion and the components that are built on it."""

    model_config = STRICT

    flink: str | None = Field(
        None,
        pattern=FLINK,
        description="The Flink cluster that computes: HOST:PORT of its JobManager's REST API, or"
        " `local` for one that lives with the run, with two TaskManagers (`local[N]`: N); null"
        " computes in this process.",
    )
    args: tuple[str, ...] = Field(
        (),
        description="Beam options, such as --direct_num_workers=4; they win over the ones a run"
        " sets itself (in this process, one worker).",
    )

    @property
    def options(self) -> tuple[str, ...]:
        """What Beam is given; of two values of an option the later one holds."""
        return (*(flink_args(self.flink) if self.flink else ()), *self.args)


class Config(BaseModel):
    """One pipeline's configuration."""

    model_config = STRICT

    name: str = Field(
        "chest-xray",
        pattern=r"^[a-z0-9-]+$",
        max_length=63,
        description="The pipeline's name in the metadata store and in a cluster.",
    )
    seed: int = Field(
        7,
        ge=0,
        lt=2**31,
        description="The one seed: synthetic images, split of the patients, training.",
    )
    orchestrator: Orchestrator = Field("local", description="What runs the components.")
    images: str | None = Field(
        None,
        description="Folder of images, or a zip or tar file, from the working directory; null draws"
        " synthetic ones.",
    )
    synthetic: SyntheticSettings = Field(
        default_factory=SyntheticSettings,
        description="The embedded images that a run uses when it is given no images.",
    )
    dataset: DatasetSettings = Field(
        default_factory=DatasetSettings, description="From folders of images to examples."
    )
    transform: TransformSettings = Field(
        default_factory=TransformSettings, description="From an image to the model's pixels."
    )
    trainer: TrainerSettings = Field(
        default_factory=TrainerSettings, description="The model and its training."
    )
    tuner: TunerSettings = Field(
        default_factory=TunerSettings,
        description="The search for the trainer's settings, before the training.",
    )
    evaluation: EvaluationSettings = Field(
        default_factory=EvaluationSettings, description="What a model must show to be pushed."
    )
    serving_check: ServingCheckSettings = Field(
        default_factory=ServingCheckSettings,
        description="The check before the push: a served copy predicts, and is compared.",
    )
    push: PushSettings = Field(
        default_factory=PushSettings, description="Where a blessed model goes."
    )
    report: ReportSettings = Field(
        default_factory=ReportSettings, description="The page and the card that a run ends with."
    )
    beam: BeamSettings = Field(
        default_factory=BeamSettings, description="How Beam runs the data's components."
    )
    cluster: ClusterSettings = Field(
        default_factory=ClusterSettings,
        description="Where a compiled pipeline runs, and what its tasks are given.",
    )

    @model_validator(mode="after")
    def _search_goes_with_the_training(self) -> "Config":
        if self.tuner.enabled and (problems := list(misfits(self.tuner, self.trainer))):
            raise ValueError("; ".join(problems))
        return self
