"""`python3 -m pipeline.environment [check]`: make `.venv`, or only report what is missing."""

# ruff: noqa: T201 (a program, which prints for people)
from __future__ import annotations

import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
VENV = CHECKOUT / ".venv"


def main() -> int:
    """Makes the environment where it is not finished; returns the exit code."""
    from pipeline.environment.decision import decide
    from pipeline.environment.machine import read_machine
    from pipeline.environment.stamp import is_ready

    only_check = sys.argv[1:] == ["check"]
    if not only_check and is_ready(VENV, CHECKOUT):
        return 0
    machine = read_machine(VENV)
    plan = decide(machine)
    if plan.obstacles:
        print("The environment cannot be made on this machine:", file=sys.stderr)
        for obstacle in plan.obstacles:
            print(f"\n* {obstacle}", file=sys.stderr)
        return 1
    if only_check:
        if plan.python:
            print(f"{plan.python}\n  Without one, the set-up tries to fetch uv's own Python.")
        print("Nothing is missing: `make demo`")
        return 0
    from pipeline.environment.install import alone, install
    from pipeline.environment.problem import SetUpError

    with alone(CHECKOUT):
        # Another call may have finished it while this one waited.
        if is_ready(VENV, CHECKOUT):
            return 0
        started = time.time()
        try:
            install(VENV, CHECKOUT, machine, plan)
        except SetUpError as error:
            print(f"\n{error}\nThe next call begins anew.", file=sys.stderr)
            return 1
        print(f"Set-up: finished in {time.time() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
