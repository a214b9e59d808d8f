"""Settings of a search: frozen, typed, validated on construction."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from pydantic import (
    BaseModel,
    Field,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from trainer_module import models
from trainer_module.settings.trainer import TrainerSettings
from transform_module.strict import STRICT

AFTER_SEARCH: Final = ("folds", "calibration", "operating_point")
"""Settings that act on what is trained: they change no trial's score."""

_FIXED: Final = {
    "epochs": "the trials have tuner.epochs, and the final training has trainer.epochs",
    **dict.fromkeys(("monitor", "select_by"), "it is what the trials are compared by"),
    "strategy": "it sets where to train, not what",
    "jit_compile": "it sets how to train, not what",
    **dict.fromkeys(AFTER_SEARCH, "it changes no trial's score"),
}

_KERAS_TUNERS_OWN: Final = "tuner/"

_Scalar = bool | int | float | str


class Range(BaseModel):
    """Every number from one to another."""

    model_config = STRICT

    min: int | float = Field(description="The least.")
    max: int | float = Field(description="The greatest.")
    log: bool = Field(False, description="Whether its logarithm is drawn, and not itself.")

    @model_validator(mode="after")
    def _is_a_range(self) -> "Range":
        if self.min >= self.max:
            raise ValueError(f"min is {self.min}, and max, {self.max}, is not above it")
        if self.log and self.min <= 0:
            raise ValueError(f"min is {self.min}, which has no logarithm; give one above 0")
        return self


class TunerSettings(BaseModel):
    """How settings of the trainer are searched for before the training."""

    model_config = STRICT

    enabled: bool = Field(
        False, description="Whether the Tuner runs before the Trainer, which uses its best values."
    )
    algorithm: Literal["bayesian", "hyperband", "random"] = Field(
        "bayesian",
        description="What draws the trials. bayesian: a Gaussian process over the scores so far,"
        " after three trials by chance for each key of `space`; hyperband: many brief trainings, of"
        " which the best are trained for longer; random: chance.",
    )
    space: dict[str, Range | list[_Scalar | list[_Scalar]]] = Field(
        {"learning_rate": Range(min=1e-4, max=3e-3, log=True)},
        min_length=1,
        description="What is tried, by key under `trainer`, such as augmentation.zoom: a list of"
        " values, or {min, max, log} for a number.",
    )
    trials: PositiveInt = Field(10, description="Trials at most.")
    epochs: PositiveInt = Field(10, description="Epochs of a trial at most.")
    folds: PositiveInt = Field(
        1,
        le=20,
        description="1 trains on `train` and scores on `eval`. With more, each trial trains on"
        " all but one of so many folds of both, dealt by patient, once for each.",
    )
    objective: Literal["mean", "worst"] = Field(
        "mean", description="Which of the folds' best `trainer.monitor` is a trial's score."
    )

    @field_validator("space", mode="before")
    @classmethod
    def _flattened(cls, space: Any) -> Any:
        """`--set tuner.space.augmentation.zoom=[0, 0.1]` has been read as keys in keys."""
        return dict(_flat(space)) if isinstance(space, dict) else space

    @field_validator("space")
    @classmethod
    def _settings_that_can_be(cls, space: dict[str, Any]) -> dict[str, Any]:
        problems = [problem for path in space for problem in _problems(path, space[path])]
        if problems:
            raise ValueError("; ".join(problems))
        return space


def chosen(settings: TrainerSettings, values: Mapping[str, Any]) -> TrainerSettings:
    """Puts values in the place of others.

    Args:
        settings: what they are put into.
        values: by key, such as ``augmentation.zoom``.

    Raises:
        pydantic.ValidationError: there is no such key, or it cannot have that value.
    """
    tree = settings.model_dump(mode="json")
    for path, value in values.items():
        *parents, name = path.split(".")
        node = tree
        for parent in parents:
            node = node[parent]
        node[name] = value
    # JSON's strict mode takes a list for a tuple, but no text for a number.
    return TrainerSettings.model_validate_json(json.dumps(tree), strict=True)


def misfits(tuner: TunerSettings, trainer: TrainerSettings) -> Iterator[str]:
    """Yields what of a search does not go with the settings that it starts from."""
    if trainer.strategy == "multi_worker":
        yield (
            "trainer.strategy is multi_worker, and a trial is trained by one process; run trials"
            " side by side instead, or choose another strategy"
        )
    tried = tuner.space.get("model", [trainer.model])
    for path, domain in tuner.space.items():
        owner = path.partition(".")[0]
        if owner in models.NAMES and isinstance(tried, list) and owner not in tried:
            yield f"tuner.space.{path} decides nothing, because trainer.model is {trainer.model}"
            continue
        for value in _ends(domain):
            try:
                chosen(trainer, {path: value})
            except ValidationError as error:
                message = error.errors()[0]["msg"]
                yield f"tuner.space.{path}: {json.dumps(value)} does not go with trainer: {message}"


def encoded(value: Any) -> Any:
    """Makes a choice of KerasTuner's, which are numbers and texts: a list becomes its JSON."""
    return json.dumps(value) if isinstance(value, tuple) else value


def values_of(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Reads the settings of a trial.

    Args:
        hyperparameters: as KerasTuner writes them.

    Returns:
        Values by key under ``trainer``.
    """
    return {
        name: json.loads(value) if isinstance(value, str) and value.startswith("[") else value
        for name, value in hyperparameters["values"].items()
        if not name.startswith(_KERAS_TUNERS_OWN)
    }


def in_words(values: Mapping[str, Any]) -> str:
    """Writes values by key in a line."""
    return "  ".join(
        f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"
        for key, value in values.items()
    )


def setting(path: str, settings: TrainerSettings | None = None) -> Any:
    """Returns the value at a key of settings, of the default ones where none are given."""
    value: Any = settings or TrainerSettings()
    for name in path.split("."):
        value = getattr(value, name)
    return value


def _flat(space: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    parents = {path.rpartition(".")[0] for path in _paths()}
    for name, value in space.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and path in parents:
            yield from _flat(value, f"{path}.")
        else:
            yield path, _domain(path, value)


def _domain(path: str, value: Any) -> Any:
    if isinstance(value, Range | list):
        return value
    try:
        return Range.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ": ".join([*map(str, first["loc"]), first["msg"]])
        raise ValueError(
            f"{path}: {json.dumps(value)} is not a list of values and no {{min: NUMBER, max: "
            f"NUMBER, log: true}} ({where})"
        ) from error


def _paths(model: type[BaseModel] = TrainerSettings, prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _paths(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _problems(path: str, domain: Any) -> Iterator[str]:
    paths = list(_paths())
    if path not in paths:
        near = difflib.get_close_matches(path, paths, n=1, cutoff=0.5)
        advice = f" Did you mean {near[0]}?" if near else ""
        yield f"{path}: trainer has no such key.{advice}"
        return
    for name, reason in _FIXED.items():
        if path.split(".")[0] == name:
            yield f"{path} cannot be searched for: {reason}"
            return
    value = setting(path)
    if isinstance(domain, Range) and type(value) not in (int, float):
        yield f"{path} is not a number; give a list of values"
        return
    if isinstance(domain, list) and not domain:
        yield f"{path} has no values"
    for value in _ends(domain):
        try:
            chosen(TrainerSettings(), {path: value})
        except ValidationError as error:
            yield f"{path} cannot be {json.dumps(value)}: {error.errors()[0]['msg']}"


def _ends(domain: Any) -> list[Any]:
    return [domain.min, domain.max] if isinstance(domain, Range) else domain
