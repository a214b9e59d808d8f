"""Cache key of an execution: what it computes, and nothing of where that is stored.

TFX hashes the pipeline's name and the identity, the times and the path of every input. Then a root
that is copied, a preset of another name, or data that was used before finds nothing in the cache.
Here an input counts by its content, and a path by the content that is read from it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from tfx import types

from components.artifacts import model_sums
from pipeline.runners.seal import content
from serving.images.dataset import DATASET_FILE, QUARANTINE_FILE
from serving.versions import pushed
from transform_module.errors import UserError
from transform_module.files import intact

_LIBRARIES: Final = (
    "apache-beam",
    "ml-metadata",
    "tensorflow",
    "tensorflow-data-validation",
    "tensorflow-model-analysis",
    "tensorflow-transform",
    "tfx",
    "tfx-bsl",
)
"""That TFX's own components compute with; those of ours are in their `code_version`."""

# TFX's digest of sizes and times of files, where the content of dataset.json says more.
_UNREAD: Final = ("images", "input_fingerprint")
_DATASETS: Final = ("dataset", "input_base")


def cache_key(
    node: str,
    inputs: Mapping[str, Sequence[types.Artifact]],
    parameters: Mapping[str, Any],
    executor: bytes = b"",
) -> str:
    """Returns the key of an execution.

    Args:
        node: the component's type and id.
        inputs: what it reads, by channel.
        parameters: its execution properties.
        executor: serialized specification of what executes it, Beam's arguments included.

    Returns:
        64 hexadecimal digits.
    """
    described = {
        "node": node,
        "executor": executor.hex(),
        "inputs": {channel: [content(each) for each in inputs[channel]] for channel in inputs},
        "parameters": _located(parameters, inputs.get("trained", ())),
        "libraries": {name: metadata.version(name) for name in _LIBRARIES},
    }
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _located(
    parameters: Mapping[str, Any], trained: Sequence[types.Artifact] = ()
) -> dict[str, str]:
    """Replaces paths by a digest of what is read from them."""
    keyed = {name: str(value) for name, value in parameters.items() if name not in _UNREAD}
    for name in set(keyed) & set(_DATASETS):
        folder = Path(keyed[name])
        keyed[name] = ",".join(_digest(folder / file) for file in (DATASET_FILE, QUARANTINE_FILE))
    if "quarantine" in keyed:
        keyed["quarantine"] = _digest(Path(keyed["quarantine"]))
    if "push_dir" in keyed:
        push_dir, model = keyed["push_dir"], keyed["model_name"]
        version = _compared(push_dir, model, trained) or keyed.get("version", "")
        keyed["push_dir"] = (
            _digest(Path(push_dir, model, version, pushed.MANIFEST)) if version else ""
        )
    if "custom_config" in keyed:
        keyed["custom_config"] = _without_checkpoints(keyed["custom_config"])
    return keyed


def _compared(push_dir: str, model_name: str, trained: Sequence[types.Artifact]) -> str:
    """Returns the newest version where Baseline compares a model with it, else an empty text.

    Before the model was there its recipe chose the version, but what the same recipe made elsewhere
    may have other bytes, and counts as another model.
    """
    newest = pushed.newest(push_dir, model_name).version if trained else None
    if newest is None or newest.manifest is None:
        return ""
    try:
        is_same = any(model_sums.trained(each) == newest.manifest["files"] for each in trained)
    except UserError:  # Baseline says so itself.
        is_same = False
    return "" if is_same else str(newest.version)


def _without_checkpoints(custom_config: str) -> str:
    try:
        config = json.loads(custom_config)
    except ValueError:
        return custom_config
    if isinstance(config, dict):
        config.pop("checkpoint_dir", None)
    return json.dumps(config, sort_keys=True)


def _digest(path: Path) -> str:
    return intact.sha256(path) if path.is_file() else ""
