"""From a YAML file and `--set` to a configuration, or to every mistake in them at once."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from components.errors import UserError
from pipeline.config import Config
from pipeline.config_mistakes import describe

PRESETS = Path(__file__).parent / "configs"


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads 1e-3 as text; people mean the number, as YAML 1.2 reads it."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def load(source: str | None = None, overrides: Sequence[str] = ()) -> Config:
    """Reads a configuration; what is not said keeps its default.

    Args:
      source: Path of a YAML file, or a preset's name (`demo`, `kaggle`); None is all defaults.
      overrides: `key.path=value` each, the value in YAML; they win over the file.

    Returns:
      The validated configuration.

    Raises:
      UserError: Naming every mistake: where, what was received, what is allowed.
    """
    path = _find(source) if source is not None else None
    data, places = _read(path) if path is not None else ({}, {})
    for override in overrides:
        _apply(override, data, places)
    try:
        # JSON's strict mode takes a list for a tuple, but no text for a number.
        return Config.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        mistakes = describe(Config, error, places)
    raise UserError(
        f"{len(mistakes)} mistake{'s' * (len(mistakes) > 1)} in the configuration:\n"
        + "".join(f"  {mistake}\n" for mistake in mistakes)
        + "Every key with its meaning and default: cxr config --show"
    )


def presets() -> list[str]:
    """The names of the configurations that are shipped with the package."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def _find(source: str) -> Path:
    if Path(source).is_file():
        return Path(source)
    if source in presets():
        return PRESETS / f"{source}.yaml"
    raise UserError(
        f"There is no configuration file {source}. Give a YAML file, or the name of a preset: "
        f"{', '.join(presets())}."
    )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The file's values, and by key path the place where each stands (`file:line`)."""
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no UTF-8 text (byte {error.start}).") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise UserError(f"{path}{line} is no valid YAML: {problem}.") from error
    if data is None:
        return {}, {}
    if not isinstance(data, dict):
        raise UserError(f"{path} must hold `key: value` lines, not a {type(data).__name__}.")
    places: dict[str, str] = {}
    _locate(root, "", path, places)
    return data, places


def _locate(node: yaml.Node, prefix: str, path: Path, places: dict[str, str]) -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        name = f"{prefix}{key.value}"
        place = f"{path}:{key.start_mark.line + 1}"
        if name in places:
            raise UserError(f"{place}: {name} stands twice; the first is at {places[name]}.")
        places[name] = place
        _locate(value, f"{name}.", path, places)


def _apply(override: str, data: dict[str, Any], places: dict[str, str]) -> None:
    name, equals, text = override.partition("=")
    keys = name.strip().split(".")
    if not equals or not all(keys):
        raise UserError(f"--set {override}: write key=value, such as --set trainer.epochs=3.")
    try:
        value = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise UserError(f"--set {override}: {text!r} is no valid YAML value.") from error
    for key in keys[:-1]:
        if not isinstance(data.get(key), dict):
            data[key] = {}
        data = data[key]
    data[keys[-1]] = value
    places[".".join(keys)] = f"--set {override}"
