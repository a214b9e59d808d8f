"""Ctrl-C, SIGTERM and SIGHUP: a signal that has come stays known, whatever the code makes of it.

A handler raises KeyboardInterrupt, but libraries swallow it in callbacks, or turn it into another
error. So the signal is remembered, too: `check` raises again where work would be recorded or
published, and the command that ends, in whatever way, looks at `received`.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import ClassVar, Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# A terminal signals every process of a command, and a wrapper such as `uv run` passes it on: the
# same Ctrl-C arrives twice.
_ECHO_SECONDS: Final = 0.5

_SHOW_CURSOR: Final = b"\x1b[?25h"


class _State:
    """What this process knows of signals.

    Attributes:
        listening: whether the handlers are installed.
        received: the first signal that came.
        holds: how many `held` blocks are entered.
        acts: what is done at the first signal, besides.
        terminal: a copy of standard error, as it was before anything redirected it.
    """

    listening = False
    received: signal.Signals | None = None
    holds = 0
    acts: ClassVar[list[Callable[[], None]]] = []
    terminal: int | None = None


def received() -> signal.Signals | None:
    """Returns the signal that is to stop this process, None where none has."""
    return _State.received


def how(number: int) -> str:
    """Returns the sentence by which a person learns that a signal has stopped a command."""
    if number == signal.SIGINT:
        return "Interrupted."
    return f"Stopped by {signal.Signals(number).name}."


def at_signal(act: Callable[[], None]) -> None:
    """Has something done at the first signal, in a thread, whatever the main one is waiting for."""
    if act not in _State.acts:
        _State.acts.append(act)


def check() -> None:
    """Raises KeyboardInterrupt where a signal has come, even if it was swallowed since."""
    if _State.received is not None:
        raise KeyboardInterrupt


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Lets a block finish that must not stop halfway; a signal is remembered meanwhile.

    It is not raised at the end: the next `check`, or the end of the command, sees it. A second
    signal ends the process at once all the same.
    """
    if threading.current_thread() is not threading.main_thread():
        # Handlers run in the main thread alone.
        yield
        return
    _State.holds += 1
    try:
        yield
    finally:
        _State.holds -= 1


@contextlib.contextmanager
def let_through() -> Iterator[None]:
    """Has a part of a `held` block stop for a signal, also for one that has come before.

    Raises:
        KeyboardInterrupt: a signal has come before the part, or was swallowed in it.
    """
    if threading.current_thread() is not threading.main_thread():
        check()
        yield
        check()
        return
    former, _State.holds = _State.holds, 0
    try:
        check()
        yield
        check()
    finally:
        _State.holds = former


@contextlib.contextmanager
def listening() -> Iterator[None]:
    """Installs the handlers for a block, and forgets the signal after it.

    Within another such block, or in another thread than the main one, it does nothing. A signal
    that was ignored when the process started, such as SIGHUP under `nohup`, stays ignored.
    """
    if _State.listening or threading.current_thread() is not threading.main_thread():
        yield
        return
    former = {each: signal.getsignal(each) for each in _SIGNALS}
    _State.listening, _State.received, _State.holds = True, None, 0
    with contextlib.suppress(OSError):
        _State.terminal = os.dup(2)
    read, write = os.pipe()
    os.set_blocking(write, False)
    woken = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(read,), daemon=True, name="interrupts").start()
    try:
        for each, handler in former.items():
            if handler is not signal.SIG_IGN:
                signal.signal(each, _remember)
        unblock()
        yield
    finally:
        signal.set_wakeup_fd(woken)
        for each, handler in former.items():
            signal.signal(each, handler)
        os.close(write)  # which ends the thread
        _State.listening, _State.received = False, None
        if _State.terminal is not None:
            os.close(_State.terminal)
            _State.terminal = None


def block() -> None:
    """Keeps signals waiting while this process becomes another program, until `unblock`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def unblock() -> None:
    """Lets signals through that `block` keeps waiting; `listening` does so, too."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _remember(number: int, _: FrameType | None) -> None:
    if _State.received is not None:
        return
    _State.received = signal.Signals(number)
    if not _State.holds:
        raise KeyboardInterrupt


def _watch(pipe: int) -> None:
    """Does what is to be done at the first signal, and ends the process at the second.

    The main thread may be in a call of a C++ library for minutes, in which no handler runs.
    """
    first = None
    with os.fdopen(pipe, "rb", buffering=0) as signals:
        while number := signals.read(1):
            if number[0] not in _SIGNALS:
                continue
            now = time.monotonic()
            if first is None:
                first = now
                for act in _State.acts:
                    with contextlib.suppress(Exception):  # The signal is handled all the same.
                        act()
            elif now - first > _ECHO_SECONDS:
                _end_at_once(number[0])


def _end_at_once(number: int) -> None:
    """Ends without any cleaning up; the next command removes what is left."""
    if _State.terminal is not None:
        with contextlib.suppress(OSError):
            if os.isatty(_State.terminal):
                os.write(_State.terminal, _SHOW_CURSOR)
            os.write(_State.terminal, b"Stopped at once.\n")
    os._exit(128 + number)
