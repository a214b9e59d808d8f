"""JSON as RFC 8259 has it: a number that is not finite is null."""

import json
import math
from typing import Any


def dumps(content: Any, *, indent: int | None = None) -> str:
    """Returns the text of plain values, which any reader of JSON reads.

    Python's own writes NaN and Infinity, which no standard knows.

    Args:
        content: dictionaries, lists, tuples, texts, numbers, booleans and None, in one another.
        indent: as of `json.dumps`.
    """
    return json.dumps(_finite(content), indent=indent, allow_nan=False)


def _finite(content: Any) -> Any:
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return content
