"""Record beside the TFLite files: all that an app must know of them."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from serving.model import Model
from serving.tflite.choice import Choice
from serving.versions import pushed
from transform_module import contract

RECORD: Final = "model.json"
"""The file that holds it."""

FLOAT16: Final = "float16"
"""Weights in 16 bits; computed in 32, or in 16 where the device has them."""

DYNAMIC_RANGE: Final = "dynamic_range"
"""Weights in 8 bits; computed in 8, with ranges taken from each image."""

INT8: Final = "int8"
"""Weights and all between them in 8 bits, with ranges taken once, from representative images."""

VARIANTS: Final = (FLOAT16, DYNAMIC_RANGE, INT8)

SAVED_MODEL: Final = "saved_model"
"""What the files are made of, and compared with."""

GREY_LEVELS: Final = "grey_levels"
"""Input of INT8."""

LARGEST_LOSS: Final = 0.005
"""A file whose AUC is further below the SavedModel's is to be reported as one that loses."""

THREADS: Final = 1
"""Threads that a TFLite file is measured in."""

_PIXELS: Final = (
    "The luma of the image (ITU-R BT.601), upright by its EXIF orientation, of 16-bit PNGs the 8 "
    "highest bits that the image uses (of 8, 10, 12, 14 or 16), resized to the image size with "
    "antialiasing, its grey levels spread, both as `transform` says; one channel, rows from the "
    "top."
)


@dataclass(frozen=True)
class Measured:
    """What was seen of one network.

    Attributes:
        auc: area under the ROC curve.
        p50_ms: median time of one image, pixels in, probability out, in milliseconds.
        largest_difference: of the probability, from the SavedModel's.
    """

    auc: float | None
    p50_ms: float
    largest_difference: float


def file_name(variant: str) -> str:
    """Names a variant's file."""
    return f"{variant}.tflite"


def describe(
    model: Model,
    contents: Mapping[str, bytes],
    measured: Mapping[str, Measured],
    *,
    representative: Choice | None,
    compared: Choice | None,
) -> dict[str, Any]:
    """Makes the record.

    Args:
        model: what the files were made of.
        contents: the files, by variant.
        measured: by variant, and of SAVED_MODEL; empty where nothing was evaluated.
        representative: the images that set the ranges of INT8.
        compared: the images that everything was measured on.
    """
    manifest = pushed.read_manifest(model.path) or {}
    size = sum(file.stat().st_size for file in model.path.rglob("*") if file.is_file())
    return {
        "version": manifest.get("version", model.path.name),
        "labels": model.record["labels"],
        "threshold": model.record["threshold"],
        "image_size": model.record["image_size"],
        "dataset_fingerprint": model.record.get("dataset_fingerprint"),
        "pixels": _PIXELS,
        "transform": model.record.get("transform"),
        "output": {
            "name": contract.PROBABILITY,
            "shape": ["N"],
            "type": "float32",
            "meaning": f"Calibrated probability of {contract.LABELS[1]}, the label where it is "
            "at least the threshold.",
        },
        "files": [
            {
                "variant": variant,
                "file": file_name(variant),
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "input": _input(variant, model.record["image_size"]),
                "measured": _measured(measured, variant),
            }
            for variant, content in contents.items()
        ],
        SAVED_MODEL: {"bytes": size, "measured": _measured(measured, SAVED_MODEL)},
        "threads": THREADS,
        "representative_images": representative.described() if representative else None,
        "evaluated_images": compared.described() if compared else None,
    }


def _input(variant: str, size: int) -> dict[str, Any]:
    shape = ["N", size, size, 1]
    if variant == INT8:
        return {"name": GREY_LEVELS, "shape": shape, "type": "uint8", "range": [0, 255]}
    return {"name": contract.IMAGE_XF, "shape": shape, "type": "float32", "range": [0, 1]}


def _measured(measured: Mapping[str, Measured], name: str) -> dict[str, Any] | None:
    return asdict(measured[name]) if name in measured else None
