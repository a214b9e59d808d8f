"""Allowed values of configuration fields, and the whole configuration as commented YAML."""

import json
import re
import textwrap
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

_NAMES = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
_NO_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Characters that JSON takes as they are, and YAML does not."""


def submodel(field: FieldInfo) -> type[BaseModel] | None:
    """The model that a field holds, or None where it holds a value."""
    return _model(field.annotation)


def inner_model(field: FieldInfo) -> tuple[type[BaseModel] | None, bool]:
    """Finds the model within a field.

    Returns:
        The model that the field may hold, itself or under keys of the user's choice or the indexes
        of a list, or None; and whether it is under such keys.
    """
    origin, arguments = typing.get_origin(field.annotation), typing.get_args(field.annotation)
    if origin in (dict, list, tuple):
        return _model(arguments[1 if origin is dict else 0]), True
    parts = (field.annotation, *arguments)
    return next(filter(None, map(_model, parts)), None), False


def choices(annotation: Any) -> list[str]:
    """Returns the texts that a type allows by name, in any part of a union or a list."""
    if typing.get_origin(annotation) is Literal:
        return [each for each in typing.get_args(annotation) if isinstance(each, str)]
    return [each for part in typing.get_args(annotation) for each in choices(part)]


def _model(annotation: Any) -> type[BaseModel] | None:
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return annotation if is_model else None


def allowed(field: FieldInfo) -> str:
    """What a field takes, such as `a whole number > 0`."""
    bounds = list(_bounds(field.metadata))
    return " ".join([_type_in_words(field.annotation), *([", ".join(bounds)] if bounds else [])])


def to_yaml(config: BaseModel) -> str:
    """Writes every key with its value under a comment of its meaning, default and bounds.

    Args:
        config: the configuration to write.

    Returns:
        YAML that loads back as the same configuration.
    """
    return "\n".join(_lines(config, "")) + "\n"


def _lines(model: BaseModel, indent: str) -> Iterator[str]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        description = field.description or ""
        if isinstance(value, BaseModel):
            yield from _comment(description, indent)
            yield f"{indent}{name}:"
            yield from _lines(value, f"{indent}  ")
            continue
        default = _scalar(field.get_default(call_default_factory=True))
        yield from _comment(f"{description} Default {default}; {allowed(field)}.", indent)
        yield f"{indent}{name}: {_scalar(value)}"


def _comment(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, width=100, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# "
    )


def _scalar(value: Any) -> str:
    """A value as JSON, which YAML reads as the same value."""
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return f"{value:.1f}"
    text = json.dumps(value, ensure_ascii=False, default=_json)
    return _NO_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _json(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)


def _type_in_words(annotation: Any) -> str:
    if annotation is type(None):
        return "null"
    if annotation in _NAMES:
        return _NAMES[annotation]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return " | ".join(str(argument) for argument in arguments)
    if origin is typing.Annotated:
        bounds = list(_bounds(arguments[1:]))
        return " ".join([_type_in_words(arguments[0]), *bounds])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type_in_words(argument) for argument in arguments)
    if origin in (tuple, list) and arguments:
        return f"a list, each {_type_in_words(arguments[0])}"
    if origin is dict:
        return f"keys with, each, {_type_in_words(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"the keys {', '.join(annotation.model_fields)}"
    return getattr(annotation, "__name__", str(annotation))


def _bounds(metadata: Any) -> Iterator[str]:
    for item in metadata:
        match item:
            case FieldInfo():
                yield from _bounds(item.metadata)
            case annotated_types.Gt():
                yield f"> {item.gt}"
            case annotated_types.Ge():
                yield f">= {item.ge}"
            case annotated_types.Lt():
                yield f"< {item.lt}"
            case annotated_types.Le():
                yield f"<= {item.le}"
            case annotated_types.MinLen():
                yield f"of {item.min_length} or more"
            case annotated_types.MaxLen():
                yield f"of at most {item.max_length}"
            case annotated_types.Interval() | annotated_types.Len():
                yield from _bounds(item)
            case _ if getattr(item, "pattern", None):
                yield f"matching {item.pattern}"
