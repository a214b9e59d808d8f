"""Shell completion of options' values, fast: TensorFlow is not imported.

bash splits words at ``=`` and adds a blank after what it completes. `Bash` takes both back, so that
``--set trainer.mo<TAB>`` becomes ``--set trainer.model=`` and then offers the models.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

if typing.TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

_SUFFIXES: Final = (".yaml", ".yml")


def configurations(
    _: click.Context, __: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Returns the presets, the YAML files and the folders that a text may become."""
    from pipeline.config.config_file import presets

    folder, _sep, _name = incomplete.rpartition("/")
    place = Path(f"{folder}/" if _sep else ".").expanduser()
    found = list(presets())
    try:
        for path in sorted(place.iterdir()):
            name = f"{folder}{_sep}{path.name}"
            if path.is_dir() and not path.name.startswith("."):
                found.append(f"{name}/")
            elif path.suffix in _SUFFIXES:
                found.append(name)
    except OSError:
        pass
    return [CompletionItem(name) for name in found if name.startswith(incomplete)]


def overrides(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Returns the keys that a text may become, and after ``=`` the values that a key allows."""
    from pipeline.config.config import Config

    key, equals, value = incomplete.partition("=")
    if equals:
        field = _field(Config, key)
        values = _values(field.annotation) if field else ()
        return [CompletionItem(f"{key}={each}") for each in values if each.startswith(value)]
    return list(_keys(Config, key))


def run_ids(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem[str]]:
    """Returns ``last`` and the runs under the root, the latest first."""
    from pipeline.root.root import Root

    runs = Root.at(Path(context.params.get("root") or "cxr-root")).runs
    names = ["last", *sorted((path.stem for path in runs.glob("*.json")), reverse=True)]
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _keys(model: type[BaseModel], text: str) -> Iterator[CompletionItem[str]]:
    """Yields one level of keys below the sections that a text names already."""
    from pipeline.config.config_fields import submodel

    path, dot, start = text.rpartition(".")
    owner = _section(model, path) if dot else model
    if owner is None:
        return
    for name, field in owner.model_fields.items():
        if name.startswith(start):
            mark = "." if submodel(field) else "="
            yield CompletionItem(f"{path}{dot}{name}{mark}", help=field.description)


def _section(model: type[BaseModel], path: str) -> type[BaseModel] | None:
    from pipeline.config.config_fields import submodel

    field = _field(model, path)
    return submodel(field) if field else None


def _field(model: type[BaseModel], path: str) -> FieldInfo | None:
    *sections, name = path.split(".")
    owner = _section(model, ".".join(sections)) if sections else model
    return owner.model_fields.get(name) if owner else None


def _values(annotation: Any) -> list[str]:
    """Returns the values of an enumeration or a boolean; none where there is no end of them."""
    if annotation is bool:
        return ["true", "false"]
    if annotation is type(None):
        return ["null"]
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is Literal:
        return [str(each).lower() if isinstance(each, bool) else str(each) for each in arguments]
    found = [_values(each) for each in arguments]
    # Of `text or null` nobody wants to be offered null alone.
    return [each for values in found for each in values] if all(found) else []


class Bash(BashComplete):
    """Click's, with words that hold ``=``, and without a blank after a partial word."""

    source_template: ClassVar[str] = BashComplete.source_template.replace(
        "    return 0\n",
        "    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=./] ]] && compopt -o nospace\n"
        "    return 0\n",
    )

    def get_completion_args(self) -> tuple[list[str], str]:
        """Returns the words before the cursor, and the one at it, as the program gets them."""
        words, at_cursor = super().get_completion_args()
        joined: list[str] = []
        is_open = False
        for word in (*words, at_cursor):
            if word == "=" and joined and not joined[-1].startswith("-"):
                joined[-1] += "="
                is_open = True
            elif is_open:
                joined[-1] += word
                is_open = False
            else:
                joined.append(word)
        *words, whole = joined
        self._before = whole.rfind("=") + 1 if whole != at_cursor else 0
        return words, whole

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Returns what bash puts in the place of the word at the cursor."""
        return f"{item.type},{item.value[self._before :]}"


add_completion_class(Bash)
