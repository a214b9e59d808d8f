"""Writes the TFLite files of a pushed model, and what an app must know of them."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from serving import strict_json
from serving.files import staging
from serving.images.settings import DatasetSettings
from serving.model import Model, find_version
from serving.process.collector import importing
from serving.progress import Step
from serving.tflite.choice import Choice, held_out, representative
from serving.tflite.record import INT8, RECORD, SAVED_MODEL, VARIANTS, Measured, describe, file_name
from transform_module import contract
from transform_module.errors import UserError

_LOG = logging.getLogger(__name__)


def export(
    model: Path,
    out: Path,
    *,
    variants: Sequence[str] = VARIANTS,
    images: Path | None = None,
    test_images: Path | None = None,
    settings: DatasetSettings = DatasetSettings(),  # noqa: B008  (a frozen value)
    step: Step,
) -> dict[str, Any]:
    """Converts a pushed model to TFLite.

    Args:
        model: a version's folder or the folder of the versions.
        out: the folder to write; one that an export wrote before is replaced whole.
        variants: of VARIANTS.
        images: folder of representative images, for int8. Those in ``train`` are taken, where
            there is such a folder, and none of ``test``.
        test_images: folder with NORMAL and PNEUMONIA by which the files are compared with the
            SavedModel, those of ``test`` where there is such a folder; ``images`` where it has
            both.
        settings: what the classes in these folders are called, and which table has the labels.
        step: shows what is done.

    Returns:
        What RECORD holds, see `record.describe`.

    Raises:
        UserError: there is no model, or it lacks a signature; images are missing; ``out`` holds
            something else.
    """
    if INT8 in variants and images is None:
        raise UserError(
            f"{INT8} needs representative images, which give the ranges of its "
            "numbers: --images FOLDER. Or leave it out: "
            + " ".join(f"--variant {name}" for name in VARIANTS if name != INT8)
        )
    _refuse_foreign(out)
    version = find_version(model)
    shown = representative(images) if images and INT8 in variants else None
    compared = held_out(test_images, settings) if test_images else _held_out_of(images, settings)
    with step("Load the model"):
        with importing():
            from serving.tflite import conversion, measure, network_inputs

        loaded = Model(version)
        loaded.signature(contract.SERVE_PIXELS)
    grey_levels = None
    if shown:
        with step("Read representative images") as progress:
            decoded = network_inputs.read(shown, loaded, progress)
        grey_levels, shown = decoded.grey_levels, decoded.choice
    contents: dict[str, bytes] = {}
    for name in variants:
        with step(f"Convert to {name}") as progress:
            contents[name] = conversion.convert(name, loaded, grey_levels, progress)
    measured: dict[str, Measured] = {}
    if compared:
        with step("Read images to evaluate") as progress:
            known = network_inputs.read(compared, loaded, progress)
        compared = known.choice
        with step("Evaluate by the SavedModel") as progress:
            reference = measure.of_saved_model(loaded, known, progress)
        measured[SAVED_MODEL] = measure.compare(reference, reference, known.labels)
        for name, content in contents.items():
            with step(f"Evaluate by {name}") as progress:
                predictions = measure.of_file(content, known, progress)
            measured[name] = measure.compare(predictions, reference, known.labels)
    made = describe(loaded, contents, measured, representative=shown, compared=compared)
    with staging.staged(out) as new:
        for name, content in contents.items():
            (new / file_name(name)).write_bytes(content)
        (new / RECORD).write_text(strict_json.dumps(made, indent=2) + "\n", encoding="utf-8")
        staging.publish(new, out)
    return made


def _held_out_of(images: Path | None, settings: DatasetSettings) -> Choice | None:
    """Chooses from the representative images where their folder can be used for that, too."""
    if images is None:
        return None
    try:
        return held_out(images, settings)
    except UserError as error:
        _LOG.warning(
            "The files are not compared with the SavedModel: %s To compare them, give "
            "--test-images.",
            error,
        )
        return None


def _refuse_foreign(out: Path) -> None:
    if os.path.isdir(out):
        if (out / RECORD).is_file() or not any(out.iterdir()):
            return
        raise UserError(
            f"{out} holds something else than an export ({RECORD} is missing), so it is left "
            "alone. Choose another folder."
        )
    if os.path.lexists(out):
        raise UserError(f"{out} is a file. Name the folder to write the files to.")
