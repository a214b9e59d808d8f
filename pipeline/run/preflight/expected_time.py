"""Expected duration of a run, by earlier runs under its root or by measured figures.

Pure: the configuration, the number of images and the records of runs in, seconds out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from pipeline.config.config import Config
from pipeline.run_records.run_record import COMPLETE, DataRecord, RunRecord
from trainer_module.settings.trainer import TrainerSettings
from transform_module.contract import IMAGE_SIZE

MEASURED: Final = {"cnn": 0.0149, "compact": 0.0014, "transfer": 0.0181}
"""Seconds for an image and an epoch on two idle CPU cores, of each model with its default layers:
55, 5 and 67 s for an epoch of 3,699 training images (README, "What to expect")."""

# Conversion, Transform, evaluation, the check of the serving and the report: 71 s for the 5,233
# images of the README's table, 50 s for the few of the demo, on the same machine.
_FIXED: Final = 50.0
_PER_IMAGE: Final = 0.004

# Of all images: 80 % of train and val beside a test folder, or 70 % of what has no folders.
_TRAIN: Final = 0.70
_TRAIN_AND_EVAL: Final = 0.85


@dataclass(frozen=True)
class Expected:
    """The expected time of a run that finds nothing in the cache.

    Attributes:
        low: seconds, where the training stops as early as its patience allows.
        high: seconds, where it trains for all epochs.
        per_image: seconds for an image and an epoch.
        run: the earlier run that this is known from; empty where it was measured elsewhere.
    """

    low: float
    high: float
    per_image: float
    run: str = ""


def expected(config: Config, images: int, records: Sequence[RunRecord]) -> Expected | None:
    """Estimates the time of a run.

    Args:
        config: what was chosen.
        images: number of image files.
        records: of earlier runs under the root, the oldest first.

    Returns:
        None where neither an earlier run nor the table knows the model.
    """
    trainer = config.trainer
    known = _known(trainer, records)
    measured = _per_image(known) if known else _measured(trainer)
    if measured is None:
        return None
    # Convolutions take time by the pixel.
    per_image = measured * (config.transform.size / (_size(known) if known else IMAGE_SIZE)) ** 2
    beside = _FIXED + _PER_IMAGE * images + _search(config, images) * per_image
    epoch = _share(trainer.folds) * images * per_image
    fewest = min(trainer.epochs, trainer.patience + 1)
    return Expected(
        beside + fewest * epoch,
        beside + trainer.epochs * epoch,
        per_image,
        known.id if known else "",
    )


def unchanged_since(config: Config, records: Sequence[RunRecord]) -> str:
    """Returns the last complete run of the same configuration; an empty text where none was."""
    wanted = config.model_dump(mode="json")
    same = (each.id for each in records if each.state in COMPLETE and each.config == wanted)
    return max(same, default="")


def _share(folds: int) -> float:
    """Returns how many images an epoch trains on, all members together, for each image."""
    return _TRAIN if folds == 1 else _TRAIN_AND_EVAL * (folds - 1)


def _search(config: Config, images: int) -> float:
    """Returns how many times a search trains on an image, at most."""
    tuner = config.tuner
    if not tuner.enabled:
        return 0.0
    return tuner.trials * tuner.epochs * _share(tuner.folds) * images


def _measured(settings: TrainerSettings) -> float | None:
    given = settings.of_model
    decisive = ("filters", "kernel_size", "dense_units", "blocks", "backbone")
    default = type(given)()
    is_default = all(getattr(given, key, None) == getattr(default, key, None) for key in decisive)
    return MEASURED.get(settings.model) if is_default else None


def _known(settings: TrainerSettings, records: Sequence[RunRecord]) -> RunRecord | None:
    wanted = _decisive(settings.model_dump(mode="json"))
    for record in reversed(records):
        trained = record.config.get("trainer")
        if (
            record.epoch_seconds
            and record.data
            and _trained_on(record.data, settings.folds)
            and isinstance(trained, dict)
            and _decisive(trained) == wanted
        ):
            return record
    return None


def _decisive(trainer: dict[str, Any]) -> list[Any]:
    """Returns the settings that an epoch's time depends on."""
    model = trainer.get("model", "")
    keys = (model, "augmentation", "batch_size", "precision", "strategy", "folds", "jit_compile")
    return [model, *(trainer.get(key) for key in keys)]


def _size(record: RunRecord) -> int:
    return int(record.config.get("transform", {}).get("size", IMAGE_SIZE))


def _per_image(record: RunRecord) -> float:
    assert record.data
    folds = record.config["trainer"].get("folds", 1)
    # The first epoch compiles the network, and another may have been disturbed.
    return median(record.epoch_seconds) / _trained_on(record.data, folds)


def _trained_on(data: DataRecord, folds: int) -> float:
    """Returns the images of an epoch of one member."""
    train, evaluation = (sum(data.splits.get(split, {}).values()) for split in ("train", "eval"))
    return train if folds == 1 else (train + evaluation) * (folds - 1) / folds
