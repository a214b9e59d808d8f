"""From a YAML file and `--set` to a configuration, or to every mistake in them at once."""

import json
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from pipeline.config.config import Config
from pipeline.config.config_mistakes import describe
from pipeline.config.presets import PRESETS, presets
from transform_module.did_you_mean import did_you_mean
from transform_module.errors import UserError

_LONGEST: Final = 1024 * 1024
"""Bytes."""

_MOST_VALUES: Final = 10_000
"""Keys and values. All keys of a configuration are a few hundred."""

Where = Callable[[int], str]
"""Names the place of a line of YAML, counted from 1; with 0, that of the whole."""


class _Loader(yaml.SafeLoader):
    """YAML 1.1, made to read what people mean: 1e-3 is a number, as in YAML 1.2, a date is text."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except ValueError as error:
            problem = str(error)
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error


def _number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float | str:
    """Leaves `.inf` and `.nan` as text: no figure of a run can be either."""
    value: float = loader.construct_yaml_float(node)
    return value if math.isfinite(value) else node.value


def _text(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    """Joins the halves that JSON escapes a character into; half a character alone is an error."""
    text: str = loader.construct_scalar(node)
    return text.encode("utf-16", "surrogatepass").decode("utf-16")


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
_Loader.add_constructor("tag:yaml.org,2002:str", _text)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _text)


def load(source: str | None = None, overrides: Sequence[str] = ()) -> Config:
    """Reads a configuration; what is not said keeps its default.

    Args:
        source: path of a YAML file, or a preset's name, such as `demo`; None is all defaults.
        overrides: `key.path=value` each, the value in YAML; they win over the file.

    Returns:
        The validated configuration.

    Raises:
        UserError: naming every mistake: where, what was received, what is allowed.
    """
    path = _find(source) if source is not None else None
    data, places = _read(path) if path is not None else ({}, {})
    for override in overrides:
        _apply(override, data, places)
    try:
        # JSON's strict mode takes a list for a tuple, but no text for a number.
        return Config.model_validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        mistakes = describe(Config, error, places)
    raise UserError(
        f"{len(mistakes)} mistake{'s' * (len(mistakes) > 1)} in the configuration:\n"
        + "".join(f"  {mistake}\n" for mistake in mistakes)
        + "Every key with its meaning and default: cxr config --show"
    )


def _find(source: str) -> Path:
    if Path(source).is_file():
        return Path(source)
    if source in presets():
        return PRESETS / f"{source}.yaml"
    beside = (str(path) for path in Path(source).parent.glob("*.y*ml"))
    advice = did_you_mean(source, [*presets(), *beside])
    raise UserError(
        f"There is no configuration file {source}.{advice} Give a YAML file, or the name of a "
        f"preset: {', '.join(presets())}."
    )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The file's values, and by key path the place of each (`file:line`)."""
    try:
        content = path.read_bytes()
        text = content.decode()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text (byte {error.start}).") from error
    if len(content) > _LONGEST:
        raise UserError(f"{path} is longer than any configuration: more than {_LONGEST:,} bytes.")

    def where(line: int) -> str:
        return f"{path}:{line}" if line else str(path)

    data, places = _parse(text, where)
    if data is None:
        return {}, {}
    if not isinstance(data, dict):
        raise UserError(f"{path} must hold `key: value` lines, not a {type(data).__name__}.")
    return data, places


def _parse(text: str, where: Where, prefix: str = "") -> tuple[Any, dict[str, str]]:
    """One YAML document: the values that JSON knows, and by key path the place of each."""
    places: dict[str, str] = {}
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None, {}
        _refuse_bomb(node)
        _locate(node, prefix, where, places)
        data = loader.construct_document(node)
        return json.loads(json.dumps(data, default=str)), places
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        place = where(mark.line + 1 if mark else 0)
        raise UserError(f"{place} is not valid YAML: {problem}.") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise UserError(f"{where(0)} holds what no configuration can: {error}.") from error


def _refuse_bomb(node: yaml.Node) -> None:
    """Refuses aliases of aliases, of which a few lines unfold to billions of values.

    Raises:
        ValueError: the document holds more values than any configuration, or itself.
    """
    sizes: dict[int, int | None] = {}

    def size(each: yaml.Node) -> int:
        if id(each) not in sizes:
            sizes[id(each)] = None  # not known yet
            inside: list[yaml.Node] = []
            if isinstance(each, yaml.MappingNode):
                inside = [part for pair in each.value for part in pair]
            elif isinstance(each, yaml.SequenceNode):
                inside = each.value
            sizes[id(each)] = 1 + sum(map(size, inside))
        known = sizes[id(each)]
        if known is None:
            raise ValueError("Circular aliases")
        return known

    if size(node) > _MOST_VALUES:
        raise ValueError(f"more than {_MOST_VALUES:,} values, once its aliases are resolved")


def _locate(node: yaml.Node, prefix: str, where: Where, places: dict[str, str]) -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        place = where(key.start_mark.line + 1)
        if key.tag != "tag:yaml.org,2002:str":
            raise UserError(
                f"{place}: {prefix}{key.value or 'null'}: a key must be text. Put it in quotes, or "
                "remove it."
            )
        name = f"{prefix}{key.value}"
        if name in places:
            raise UserError(f"{place}: {name} is set twice; the first is at {places[name]}.")
        places[name] = place
        _locate(value, f"{name}.", where, places)


def _apply(override: str, data: dict[str, Any], places: dict[str, str]) -> None:
    name, equals, text = override.partition("=")
    keys = name.strip().split(".")
    if not equals or not all(keys):
        raise UserError(f"--set {override}: write key=value, such as --set trainer.epochs=3.")
    place = f"--set {override}"
    path = ".".join(keys)
    value, inside = _parse(text, lambda _: place, f"{path}.")
    for depth, key in enumerate(keys[:-1], start=1):
        if not isinstance(data.get(key), dict):
            data[key] = {}
            places[".".join(keys[:depth])] = place
        data = data[key]
    data[keys[-1]] = value
    for former in [former for former in places if f"{former}.".startswith(f"{path}.")]:
        del places[former]
    places |= {path: place, **inside}
