"""Programs of other languages, and all that they start, that end with their parent.

    python -m serving.process.tied_program DESCRIPTOR PROGRAM ARGUMENT...

waits beside the program, in a process group of its own. The group is killed when the writer of the
pipe has died or closed it, and when the program has ended.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from serving.process.tied import wait_for_hang_up


@contextlib.contextmanager
def tied_program(command: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[Any]"]:
    """Runs a program beside a block, and kills it and its children with the block.

    Args:
        command: the program and its arguments.
        **options: of `subprocess.Popen`.

    Yields:
        The process that waits beside it, which ends when the program has ended.
    """
    watched, held = os.pipe()
    try:
        try:
            beside = subprocess.Popen(
                [sys.executable, "-m", __name__, str(watched), *command],
                pass_fds=[watched],
                process_group=0,
                **options,
            )
        finally:
            os.close(watched)
    except BaseException:
        os.close(held)
        raise
    try:
        yield beside
    finally:
        os.close(held)
        beside.wait()


def main() -> None:
    """Runs the program that the command line names."""
    descriptor, *command = sys.argv[1:]
    threading.Thread(target=_kill_with, args=(int(descriptor),), daemon=True, name="tied").start()
    try:
        subprocess.run(command, check=False)
    finally:
        os.killpg(0, signal.SIGKILL)


def _kill_with(descriptor: int) -> None:
    wait_for_hang_up(descriptor)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
