"""A validation's errors, in words: where, what was received, what is allowed, the nearest key."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from pipeline.config.config_fields import allowed, choices, inner_model
from transform_module.did_you_mean import did_you_mean, nearest

_UNION_PART = re.compile(r"[a-z-]+\[.+\]|bool|float|int|str")


def describe(
    model: type[BaseModel], error: ValidationError, places: Mapping[str, str]
) -> list[str]:
    """Returns each mistake in one line.

    Args:
        model: the model that refused.
        error: its refusal.
        places: by dotted key path, where the user wrote it.

    Returns:
        One text a mistake, without repetitions, in the order of the fields.
    """
    texts = []
    for item in error.errors(include_url=False):
        keys = _keys(item)
        path = ".".join(keys)
        field = _field(model, keys)
        bound = allowed(field) if field else ""
        if item["type"] == "extra_forbidden":
            text = _unknown(model, keys)
        elif item["type"] == "missing":
            text = f"{path}: this key is missing" + (f"; allowed: {bound}" if bound else "")
        else:
            text = f"{path}: received {_show(item['input'])}; " + (
                f"allowed: {bound}" if bound else item["msg"]
            )
            if field and isinstance(item["input"], str):
                text += _meant(item["input"], choices(field.annotation))
            if item["type"] in ("value_error", "assertion_error"):
                text = f"{path or 'the configuration'}: {item['msg'].partition(', ')[2]}"
        texts.append(f"{_place(keys, places)}{text}")
    return list(dict.fromkeys(texts))


def _keys(error: Mapping[str, Any]) -> list[str]:
    """Returns the keys of an error's location, without the names that Pydantic puts among them.

    It names the part of a union that a value was tried as, such as `literal['auto']`.
    """
    parts = list(map(str, error["loc"]))
    key = [parts.pop()] if error["type"] == "extra_forbidden" else []
    return [part for part in parts if not _UNION_PART.fullmatch(part)] + key


def _meant(given: str, names: Sequence[str]) -> str:
    advice = did_you_mean(given, names, cutoff=0.5)
    return f".{advice}" if advice else ""


def _unknown(model: type[BaseModel], keys: Sequence[str]) -> str:
    owner = _owner(model, keys[:-1])
    near = _nearest(model, keys)
    advice = f" Did you mean {near}?" if near else ""
    where = f"under {'.'.join(keys[:-1])}" if len(keys) > 1 else "at the top"
    path = ".".join(keys) or "''"
    listed = f" Keys {where}: {', '.join(owner.model_fields)}" if owner else ""
    return f"{path}: there is no such key.{advice}{listed}"


def _nearest(model: type[BaseModel], keys: Sequence[str]) -> str:
    """Returns the key that was probably meant: of this name, or of a similar one, at any level."""
    prefix = "".join(f"{key}." for key in keys[:-1])
    owner = _owner(model, keys[:-1])
    beside = {name: f"{prefix}{name}" for name in (owner.model_fields if owner else ())}
    anywhere: dict[str, str] = {}
    for path in _paths(model, ""):
        anywhere.setdefault(path.rpartition(".")[2], path)
    for paths, cutoff in ((anywhere, 1.0), (beside, 0.7), (anywhere, 0.7), (beside, 0.5)):
        if near := nearest(keys[-1], paths, cutoff=cutoff):
            return paths[near]
    return ""


def _paths(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        below, is_named = inner_model(field)
        if below:
            yield from _paths(below, f"{prefix}{name}.NAME." if is_named else f"{prefix}{name}.")


def _owner(model: type[BaseModel], keys: Sequence[str]) -> type[BaseModel] | None:
    """Returns the model that the keys lead to, the user's own among them; None for a value."""
    owner: type[BaseModel] | None = model
    is_named = False
    for key in keys:
        if is_named:  # Any key leads to the same model.
            is_named = False
            continue
        field = owner.model_fields.get(key) if owner else None
        owner, is_named = inner_model(field) if field else (None, False)
    return None if is_named else owner


def _field(model: type[BaseModel], keys: Sequence[str]) -> FieldInfo | None:
    """The field that the keys lead to; an index into a list leads to the list's field."""
    for end in range(len(keys), 0, -1):
        owner = _owner(model, keys[: end - 1])
        if owner and keys[end - 1] in owner.model_fields:
            return owner.model_fields[keys[end - 1]]
    return None


def _place(keys: Sequence[str], places: Mapping[str, str]) -> str:
    for end in range(len(keys), 0, -1):
        place = places.get(".".join(keys[:end]))
        if place:
            return f"{place}: "
    return ""


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."
