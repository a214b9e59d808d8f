"""Child processes that end with their parent, however it ends.

The parent holds the writing end of a pipe, which the kernel closes when the parent dies. The child
waits for that in a thread. `PR_SET_PDEATHSIG` is Linux's alone, and fires when the thread that
started the child ends.

    python -m serving.process.tied DESCRIPTOR MODULE ARGUMENT...
    python -m serving.process.tied FOLDER MODULE ARGUMENT...

runs a module as `python -m MODULE ARGUMENT...` does, tied to the pipe that it inherits; or, where a
library starts it and hands on no pipe, to a folder that the parent has locked.
"""

import contextlib
import fcntl
import os
import runpy
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Final

_GRACE_SECONDS: Final = 5.0


@contextlib.contextmanager
def tied_process(
    module: str, arguments: Sequence[str], **options: Any
) -> Iterator["subprocess.Popen[Any]"]:
    """Runs `python -m MODULE ARGUMENT...` beside a block, and ends it with the block.

    Args:
        module: what is run.
        arguments: what it is given.
        **options: of `subprocess.Popen`.

    Yields:
        The process. It is terminated at the end of the block, and killed where it does not end.
    """
    watched, held = os.pipe()
    command = [sys.executable, "-m", __name__, str(watched), module, *arguments]
    try:
        try:
            process = subprocess.Popen(command, pass_fds=[watched], **options)
        finally:
            os.close(watched)
        try:
            yield process
        finally:
            end(process)
    finally:
        os.close(held)


def end(process: "subprocess.Popen[Any]") -> None:
    """Terminates a process, kills it where it takes too long, and waits for it."""
    process.terminate()
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def watch(descriptor: int) -> None:
    """Kills this process when the writer of a pipe has died or closed it.

    Args:
        descriptor: the reading end; nothing is read from it.
    """
    threading.Thread(target=_wait, args=(descriptor,), daemon=True, name="tied").start()


def wait_for_hang_up(descriptor: int) -> None:
    """Waits until the writer of a pipe has died or closed it."""
    poll = select.poll()
    poll.register(descriptor, 0)  # a hang-up alone, which is always reported
    while not poll.poll():
        pass


def watch_folder(folder: str) -> None:
    """Kills this process when the process that has locked a folder, as `scratch` does, ends."""
    threading.Thread(target=_wait_unlocked, args=(folder,), daemon=True, name="tied").start()


def _wait_unlocked(folder: str) -> None:
    with contextlib.suppress(FileNotFoundError):  # It has ended, and removed it.
        fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_SH)
    os.kill(os.getpid(), signal.SIGKILL)


def _wait(descriptor: int) -> None:
    wait_for_hang_up(descriptor)
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Runs the module that the command line names."""
    tie, module, *arguments = sys.argv[1:]
    if tie.isdecimal():
        watch(int(tie))
    else:
        watch_folder(tie)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
