"""Everything that a trained model depends on, as one hash."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

_PARTS: Final = ("dataset_fingerprint", "transform", "settings", "seed", "code_version")
_TUNING: Final = "tuning"
_SEARCHED: Final = ("settings", "search")


def recipe(record: Mapping[str, Any]) -> str:
    """Hashes all that a trained model follows from.

    Args:
        record: the model's own, or one with the same ``dataset_fingerprint``, ``transform`` (its
            settings), ``settings`` (of the trainer), ``seed`` and ``code_version``. With ``tuning``
            the model follows from the ``settings`` there, which the search began with, and the
            ``search``: what it found follows from them.

    Returns:
        64 hexadecimal digits; runs with the same ones make the same model.
    """
    parts = {name: record[name] for name in _PARTS}
    if _TUNING in record:
        parts |= {name: record[_TUNING][name] for name in _SEARCHED}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
