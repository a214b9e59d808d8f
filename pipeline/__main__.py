"""The program `cxr`: ready for Ctrl-C before anything else is imported.

cxr ...
python -m pipeline ...
"""

import contextlib
import io
import os
import sys
import traceback
from types import TracebackType
from typing import Final, NoReturn

from serving.process import interrupts
from transform_module.text import printable

_PATIENCE_SECONDS: Final = 5.0


def main() -> NoReturn:
    """Runs the command line to its end."""
    sys.excepthook = _print_traceback
    with interrupts.listening():
        code = _code()
        if received := interrupts.received():
            if code != 128 + received:  # No command has said so.
                print(interrupts.how(received), file=sys.stderr)  # noqa: T201
            _end(128 + received)
    sys.exit(code)


def _code() -> int:
    """Runs the command that the arguments name, and returns its exit code."""
    try:
        import click

        from pipeline.cli.main import main as commands

        try:
            code = commands.main(prog_name="cxr", standalone_mode=False)
        except click.ClickException as error:
            shown = io.StringIO()
            error.show(shown)
            print(printable(shown.getvalue(), keep="\n\t"), end="", file=sys.stderr)  # noqa: T201
            return error.exit_code
        return code if isinstance(code, int) else 0
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            print(end.code, file=sys.stderr)  # noqa: T201
            return 1
        return end.code or 0
    except BaseException:
        if interrupts.received():
            return 0
        raise


def _print_traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Prints what nobody expected; names in it do not act on the terminal."""
    text = "".join(traceback.format_exception(kind, error, trace))
    print(printable(text, keep="\n\t"), end="", file=sys.stderr)  # noqa: T201


def _end(code: int) -> NoReturn:
    """Ends this process and those that it started, without waiting for any thread.

    A thread of a library may work on for minutes: it does not know of the signal.
    """
    if "psutil" in sys.modules:
        import psutil

        children = psutil.Process().children(recursive=True)
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.kill()
        psutil.wait_procs(children, timeout=_PATIENCE_SECONDS)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
