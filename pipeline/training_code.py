"""Everything that decides a model, and the pushed model that a new one is compared with."""

import hashlib
from pathlib import Path

from components.artifacts import recipe
from components.code_version import code_version
from pipeline.config.config import Config
from serving.versions import pushed
from trainer_module import models
from transform_module.errors import UserError
from transform_module.own_function import module_of

TRAINING = "trainer_module.run"
SEARCH = "trainer_module.search.tuner_fn"


def own_modules(config: Config) -> list[str]:
    """Returns the modules outside of this project that the pixels are made by."""
    return [module_of(config.transform.function)] if config.transform.function else []


def training_version(config: Config) -> str:
    """Hashes the code that a model follows from, and the weights that it begins with.

    The settings name these by a path or as ImageNet's alone: the file may hold others today, and
    so may another version of the package that brings them, which no code imports by its name.

    Args:
        config: the configuration.

    Returns:
        16 hexadecimal digits, as of `code_version`.
    """
    entries = ["components.trainer", TRAINING, f"trainer_module.models.{config.trainer.model}"]
    entries += own_modules(config)
    if config.tuner.enabled:
        entries += ["components.tuner", SEARCH]
    version = code_version(*entries)
    weights = _weights(config)
    return hashlib.sha256(f"{version} {weights}".encode()).hexdigest()[:16] if weights else version


def _weights(config: Config) -> str:
    """Returns the identity of the weights that the model begins with; empty where it has none."""
    try:
        return models.weights(config.trainer.model, config.trainer.of_model)
    except models.WeightsError:  # `require_pretrained` says so.
        return ""


def recipe_of(config: Config, dataset_fingerprint: str) -> str:
    """Returns the recipe of the model that a run will make.

    Args:
        config: the configuration.
        dataset_fingerprint: of the examples.

    Returns:
        As `components.artifacts.recipe` makes it of the model's record.
    """
    settings = config.trainer.model_dump(mode="json")
    record = {
        "dataset_fingerprint": dataset_fingerprint,
        "transform": config.transform.model_dump(mode="json"),
        "settings": settings,
        "seed": config.seed,
        "code_version": training_version(config),
    }
    if config.tuner.enabled:
        record["tuning"] = {"settings": settings, "search": config.tuner.model_dump(mode="json")}
    return recipe.recipe(record)


def baseline_version(push_dir: Path, model_name: str, recipe: str) -> str:
    """Chooses the pushed version that a run's model has to hold its own against.

    That is the newest whole one. If this very recipe made it, a run would compare the model with
    itself: it is then compared with what the pushed one was, so that a repeated run finds all in
    the cache.

    Args:
        push_dir: the folder of pushed models.
        model_name: the model's folder in it.
        recipe: of the run.

    Returns:
        The version's number as text, or an empty text if nothing is pushed.

    Raises:
        UserError: versions are there and none of them is whole, or the folder cannot be read.
    """
    folder = push_dir / model_name
    try:
        version = pushed.chosen(pushed.newest(push_dir, model_name), str(folder))
    except OSError as error:
        raise UserError(
            f"{folder}: the pushed models cannot be read ({error}), so that nothing can be "
            "compared with them. Free or unlock the folder, or choose another push folder."
        ) from error
    if version is None:
        return ""
    manifest = version.manifest or {}
    if manifest.get("recipe") == recipe:
        return str(manifest.get("baseline_version", ""))
    return str(version.version)
