"""A pushed model as one file that plain Keras loads."""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from serving.model import Model, find_version
from serving.process.collector import importing
from serving.progress import Step
from serving.versions import pushed
from transform_module import contract
from transform_module.errors import UserError

SUFFIX: Final = ".keras"

TOLERANCE: Final = 1e-5
"""A file whose probabilities differ by more from the SavedModel's is not written."""

_PROBES: Final = 32
_RESIZE: Final = {
    "squash": "tf.image.resize(image, ({size}, {size}), antialias=True)",
    "pad": "tf.image.resize_with_crop_or_pad(tf.image.resize(image, ({size}, {size}), "
    "preserve_aspect_ratio=True, antialias=True), {size}, {size})",
}


def export(model: Path, out: Path, *, step: Step) -> dict[str, Any]:
    """Writes the network of a pushed model, with its calibration, as a file of Keras.

    The pushed version holds the network as layers that Keras itself has, and the key of each weight
    in the SavedModel. The file is loaded again and compared with the SavedModel before it appears.

    Args:
        model: a version's folder or the folder of the versions.
        out: the file to write, which ends in ``.keras``; one that is there is replaced.
        step: shows what is done.

    Returns:
        What the file is: ``file``, ``bytes``, ``sha256``, ``version``, ``threshold``, ``labels``,
        ``input``, ``output``, ``largest_difference`` from the SavedModel's probability, and
        ``lacks``: what has to be done before it, see `preparation`.

    Raises:
        UserError: there is no model, or it was pushed before models recorded their network; the
            file cannot be written there; or the probabilities differ.
    """
    _check_name(out)
    version = find_version(model)
    architecture = _read(version)
    with step("Load the model"):
        with importing():
            import keras
        loaded = Model(version)
        serve_pixels = loaded.signature(contract.SERVE_PIXELS)
    with (
        step("Write the Keras file"),
        tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder,
    ):
        made = Path(folder) / out.name
        network = keras.models.model_from_json(json.dumps(architecture["model"]))
        network.set_weights(_weights(version, architecture["variables"]))
        network.save(made)
        difference = _difference(
            keras.models.load_model(made, compile=False), serve_pixels, loaded.record["image_size"]
        )
        if not difference <= TOLERANCE:
            raise UserError(
                f"The Keras file of {version} is not written: its probability differs from the "
                f"pushed model's by {difference:.2g}. It was pushed with Keras "
                f"{architecture['keras']}; this is {keras.__version__}. Run the pipeline again, "
                "and take the version that it pushes."
            )
        content = made.read_bytes()
        os.replace(made, out)
    size = loaded.record["image_size"]
    return {
        "file": str(out),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "version": (pushed.read_manifest(version) or {}).get("version", version.name),
        "threshold": loaded.record["threshold"],
        "labels": loaded.record["labels"],
        "input": {"shape": ["N", size, size, 1], "type": "float32", "range": [0, 1]},
        "output": {
            "shape": ["N", 1],
            "type": "float32",
            "meaning": f"calibrated probability of {contract.LABELS[1]}",
        },
        "largest_difference": difference,
        "lacks": preparation(loaded.record.get("transform") or {}),
    }


def preparation(transform: dict[str, Any]) -> dict[str, Any]:
    """Returns what a caller of the file does first, since it takes pixels.

    Args:
        transform: the settings that the model was trained with, empty for the defaults.

    Returns:
        ``lines`` of Python that decode and resize one image, none where a function of the user's
        own does; ``function``, its path, else None; ``contrast``, how the grey levels are spread
        after resizing, which the lines do not do.
    """
    function = transform.get("function")
    decode = "tf.io.decode_image(tf.io.read_file(path), channels=1, expand_animations=False)"
    resize = _RESIZE[transform.get("resize", "squash")].format(
        size=transform.get("size", contract.IMAGE_SIZE)
    )
    return {
        "lines": []
        if function
        else [f"image = {decode}", f"pixels = tf.round({resize})[tf.newaxis] / 255"],
        "function": function,
        "contrast": transform.get("contrast", "none"),
    }


def _check_name(out: Path) -> None:
    if out.suffix != SUFFIX:
        raise UserError(f"{out} has to end in {SUFFIX}, by which Keras knows its files.")
    if out.is_dir():
        raise UserError(f"{out} is a folder. Name the file to write.")
    if not out.parent.is_dir():
        raise UserError(f"There is no folder {out.parent} to write {out.name} into.")


def _read(version: Path) -> dict[str, Any]:
    path = version / contract.ARCHITECTURE
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UserError(
            f"{version} was pushed before models recorded their network for Keras "
            f"({contract.ARCHITECTURE} is missing). Run the pipeline again, and take the version "
            "that it pushes; keras.layers.TFSMLayer reads this one."
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read: {error}.") from error


def _weights(version: Path, keys: list[str]) -> list[np.ndarray]:
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(version / "variables" / "variables"))
    return [reader.get_tensor(key) for key in keys]


def _difference(network: Any, serve_pixels: Any, size: int) -> float:
    """Returns the largest difference of two probabilities of the same pixels."""
    import tensorflow as tf

    pixels = _probes(size)
    found = network.predict(pixels, batch_size=8, verbose=0)[:, 0]
    given = {contract.IMAGE_XF: tf.constant(pixels)}
    return float(np.abs(found - serve_pixels(**given)[contract.PROBABILITY].numpy()).max())


def _probes(size: int) -> np.ndarray:
    """Returns pixels [N, size, size, 1]: blots from fine to coarse, from dark to bright."""
    generator = np.random.default_rng(0)
    probes = []
    for index in range(_PROBES):
        side = size // (1, 4, 16, 32)[index % 4]
        blots = generator.random((side, side), np.float32)
        scale = size // side
        low, high = sorted(generator.random(2))
        probes.append(low + (high - low) * np.kron(blots, np.ones((scale, scale))))
    return np.stack(probes)[..., np.newaxis].astype(np.float32)
