"""What a trained model follows from, as one hash."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

_PARTS: Final = ("dataset_fingerprint", "transform", "settings", "seed", "code_version")


def recipe(record: Mapping[str, Any]) -> str:
    """Hashes all that a trained model follows from.

    Args:
        record: The model's own, or one with the same ``dataset_fingerprint``, ``transform`` (its
            settings), ``settings`` (of the trainer), ``seed`` and ``code_version``.

    Returns:
        64 hexadecimal digits; runs with the same ones make the same model.
    """
    parts = {name: record[name] for name in _PARTS}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
