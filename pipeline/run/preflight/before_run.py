"""Checks of a run's command, before anything is made or recorded."""

import json
import os
import tempfile
from pathlib import Path

from pipeline.config.config import Config
from pipeline.root.root import Root
from pipeline.run.preflight.own_function_check import require_function
from serving.files.local_paths import require_local, source_of
from serving.images.labels.labelled_files import labelled_files
from serving.images.patients import patient_finder
from serving.versions import signing
from serving.versions.push import require_signing
from trainer_module import models
from trainer_module.settings.trainer import TrainerSettings
from transform_module.errors import UserError
from transform_module.files.archives.archive_path import ArchivePath
from transform_module.files.archives.decompression import decompressed


def check(config: Config, root: Root) -> int:
    """Checks the paths that a run is given.

    Args:
        config: what was chosen.
        root: where it will run.

    Returns:
        The number of image files in the class folders, or of synthetic images to draw.

    Raises:
        UserError: a path, the table of patients, an environment variable, the key that signs or the
            user's own function cannot be used.
    """
    require_local(root.path, "The root")
    require_local(config.images or "", "images")
    require_local(config.push.directory or "", "push.directory of a run on this machine")
    _require_json("TF_CONFIG")
    _require_weights(config.trainer)
    require_function(config.transform)
    _require_folder(config.push.directory, "push.directory")
    require_signing(config.push.signing)
    signing.check(config.push.signing)
    if config.images is None:
        for key in ("labels", "layout"):
            if getattr(config.dataset, key):
                raise UserError(
                    f"dataset.{key} labels images, and none are given. Name their folder: --images "
                    "FOLDER."
                )
        return config.synthetic.images
    images = source_of(Path(config.images).expanduser().resolve(), "images")
    with tempfile.TemporaryDirectory(prefix="cxr-") as folder:
        if isinstance(images, ArchivePath):
            images = decompressed(images, Path(folder))
        files = labelled_files(images, config.dataset)
    patient_finder(config.dataset, files)
    return sum(bool(file.label) and not file.skipped for file in files)


def _require_json(variable: str) -> None:
    """Refuses, before hours of work, what TensorFlow refuses when the training begins."""
    try:
        json.loads(os.environ.get(variable) or "{}")
    except ValueError as error:
        raise UserError(
            f"The environment variable {variable} is not valid JSON ({error}). Correct it, or "
            "remove it to train on this machine alone."
        ) from error


def _require_weights(settings: TrainerSettings) -> None:
    try:
        models.weights(settings.model, settings.of_model)
    except models.WeightsError as error:
        raise UserError(str(error)) from error


def _require_folder(path: str | None, key: str) -> None:
    place = Path(path).expanduser() if path else None
    if place and place.exists() and not place.is_dir():
        raise UserError(f"{key}: {path} is a file. Give a folder; it is made if absent.")
