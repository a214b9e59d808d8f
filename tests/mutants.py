"""Mutants of the numerical modules, each against its own tests: `python -m tests.mutants [N]`.

A mutant is a module with one operator, comparison or number changed. N of each module (3) are drawn
by a seed; each runs the module's tests in a fork of a process that has imported what is slow. It is
killed if a test fails. Prints the survivors, and a table.
"""

import ast
import contextlib
import copy
import importlib.machinery
import importlib.util
import math
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = (
    *(f"transform_module/images/{name}" for name in ("contrast", "depth", "distribution")),
    *(f"transform_module/images/{name}" for name in ("image_ops", "measures", "orientation")),
    *(f"trainer_module/decision/{name}" for name in ("calibration", "domain", "held_out")),
    *(f"trainer_module/decision/{name}" for name in ("operating_point", "out_of_fold")),
    *(f"trainer_module/input/{name}" for name in ("class_weights", "folds")),
    *(f"trainer_module/training/{name}" for name in ("losses", "schedule")),
    *(f"serving/analysis/{name}" for name in ("bootstrap", "compute", "corruptions", "curves")),
    *(f"serving/analysis/{name}" for name in ("delong", "drift", "groups", "predicted")),
    *(f"serving/analysis/{name}" for name in ("shortcuts", "slices", "wilson")),
    *(f"components/evaluator/{name}" for name in ("evaluation", "tfma_metrics")),
    "components/convert/splits",
)
_TESTED_BY = {
    "components/evaluator/tfma_metrics": ["tests/components/evaluator/test_component.py"],
    "transform_module/images/image_ops": [
        "tests/transform_module/images/test_image_ops.py",
        "tests/transform_module/test_own_function.py",
    ],
}
"""Where it is not the test module at the same place."""
_SWAPPED = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
_PATIENCE = 20
"""A mutant that runs for so many times as long as the module itself, and a minute, does not end."""

# What changes no result: how fast it is, and how files are compressed.
_HARMLESS = ("_PARALLEL_DECODES", "_PNG_LEVEL", "_BATCH", "_CHUNK")


def mutants(source: str) -> Iterator[tuple[int, str, ast.Module]]:
    """Yields line, description and tree of each mutant of a module."""
    tree = ast.parse(source)
    for index, node in enumerate(ast.walk(tree)):
        changed = _changed(copy.copy(node))
        if changed is None:
            continue
        mutant = ast.parse(source)
        place = next(each for at, each in enumerate(ast.walk(mutant)) if at == index)
        line = source.splitlines()[place.lineno - 1].strip()
        if line.startswith(_HARMLESS):
            continue
        before = ast.unparse(place)
        place.__dict__.update(changed.__dict__)
        yield place.lineno, f"{before}  ->  {ast.unparse(place)}", mutant


def _changed(node: ast.AST) -> ast.AST | None:
    """Returns a node of which one thing is changed; None of what has no mutant."""
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _SWAPPED:
            node.ops = [_SWAPPED[type(operator)]()]
        case ast.BinOp() | ast.BoolOp() if type(node.op) in _SWAPPED and not _is_text(node):
            node.op = _SWAPPED[type(node.op)]()
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            node.value = node.value + 1 if isinstance(node.value, int) else node.value * 1.5 + 1e-3
        case ast.UnaryOp(op=ast.USub(), operand=ast.Name() | ast.Call()):
            node.op = ast.UAdd()
        case _:
            return None
    return node


def _is_text(node: ast.AST) -> bool:
    return any(
        isinstance(each, ast.JoinedStr)
        or (isinstance(each, ast.Constant) and isinstance(each.value, str))
        for each in ast.walk(node)
    )


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads one module from a tree, and every other one as usual."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        super().__init__(name, path)
        self._tree = tree

    def get_code(self, fullname: str) -> object:
        return compile(self._tree, self.path, "exec")

    def find_spec(self, name: str, *_: object) -> object:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)


def survives(module: str, tree: ast.Module, seconds: float = math.inf) -> bool:
    """Runs a mutant's tests in a fork; returns whether they pass in time."""
    tests = [str(ROOT / each) for each in _TESTED_BY.get(module, [_mirrored(module)])]
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException), open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
            loader = _Loader(module.replace("/", "."), str(ROOT / f"{module}.py"), tree)
            sys.meta_path.insert(0, loader)
            os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests])))
        os._exit(1)
    deadline = time.monotonic() + seconds
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.1)
    return ended[1] == 0


def _mirrored(module: str) -> str:
    folder, _, name = module.rpartition("/")
    return f"tests/{folder}/test_{name}.py"


def main() -> None:
    from tests.forks import import_slow

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    chosen = sys.argv[2:] or MODULES
    import_slow()
    killed = tried = 0
    for module in chosen:
        source = (ROOT / f"{module}.py").read_text()
        started = time.monotonic()
        assert survives(module, ast.parse(source)), f"{module}: its tests fail without a change"
        limit = 60 + _PATIENCE * (time.monotonic() - started)
        found = list(mutants(source))
        drawn = random.Random(module).sample(found, min(count, len(found)))
        left = [each for each in drawn if survives(module, each[2], limit)]
        killed, tried = killed + len(drawn) - len(left), tried + len(drawn)
        print(f"{module}: {len(drawn) - len(left)} of {len(drawn)}", flush=True)
        for line, text, _ in left:
            print(f"  survives, line {line}: {text}", flush=True)
    print(f"killed {killed} of {tried}: {killed / tried:.0%}")


if __name__ == "__main__":
    main()
