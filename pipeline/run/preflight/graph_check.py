"""Checks of a wired pipeline, before anything of it runs."""

import importlib
import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.pipeline import Pipeline

from transform_module.errors import UserError

_FUNCTIONS = ("preprocessing_fn", "run_fn", "tuner_fn", "stats_options_updater_fn")
_HASHES = ("code", "code_version")
_BLESSINGS = {"model_blessing": "the Evaluator's", "infra_blessing": "the ServingCheck's"}


def check_graph(pipeline: Pipeline, uncached: Collection[str]) -> None:
    """Checks the whole graph.

    Args:
        pipeline: the wired pipeline.
        uncached: ids of the nodes that run in every run.

    Raises:
        UserError: with every problem, each naming the node and what to do.
    """
    nodes = pipeline.components
    problems = [
        *_functions_import(nodes),
        *_code_is_hashed(node for node in nodes if node.id not in uncached),
        *_pushes_are_blessed(nodes),
    ]
    if problems:
        raise UserError(
            f"The pipeline cannot run, {len(problems)} problem{'s' * (len(problems) > 1)}:"
            + "".join(f"\n  {problem}" for problem in problems)
        )


def _functions_import(nodes: Iterable[BaseNode]) -> Iterator[str]:
    for node in nodes:
        for name in _FUNCTIONS:
            path = node.exec_properties.get(name)
            if path and (problem := _import_problem(path)):
                yield f"{node.id}: {name} is {path}, {problem}."
        if node.exec_properties.get("module_file"):
            yield (
                f"{node.id}: module_file is {node.exec_properties['module_file']}; name the "
                "function by an importable path instead, which every orchestrator can run."
            )


def _import_problem(path: str) -> str:
    module, _, name = path.rpartition(".")
    try:
        function = getattr(importlib.import_module(module), name, None)
    except Exception as error:  # noqa: BLE001 - an import runs code, which fails in any way.
        return f"which cannot be imported ({type(error).__name__}: {error})"
    return "" if callable(function) else f"and {module} has no function {name}"


def _code_is_hashed(nodes: Iterable[BaseNode]) -> Iterator[str]:
    """TFX's cache sees a function's path, not its code: our code needs a hash beside it."""
    for node in nodes:
        properties = node.exec_properties
        config = json.loads(properties.get("custom_config") or "null") or {}
        # A component that reads files has it in a protocol buffer, as JSON.
        config = config.get("custom_config", {}).get("value", config)
        is_ours = type(node).__module__.startswith("components.") or any(
            properties.get(name) for name in _FUNCTIONS
        )
        if is_ours and not any(properties.get(name) or config.get(name) for name in _HASHES):
            yield (
                f"{node.id}: it runs code of ours, and no hash of it is among its parameters; a "
                "changed code would be taken from the cache. Give it code_version(...)."
            )


def _pushes_are_blessed(nodes: Collection[BaseNode]) -> Iterator[str]:
    producers = {node.id: node for node in nodes}
    for node in nodes:
        if "pushed_model" not in node.outputs:
            continue
        for name, makers in _BLESSINGS.items():
            if name not in node.inputs:
                yield f"{node.id}: it pushes without {name}; wire {makers}."
            else:
                blesser = producers[_producer(node.inputs[name])]
                blessed, pushed = blesser.inputs.get("model"), node.inputs["model"]
                if blessed is None or _producer(blessed) != _producer(pushed):
                    yield (
                        f"{node.id}: it pushes the model of {_producer(pushed)}, and {blesser.id} "
                        "blesses another one; wire the same model to both."
                    )


def _producer(channel: Any) -> str:
    return str(channel.producer_component_id)
