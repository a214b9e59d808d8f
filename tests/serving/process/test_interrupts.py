import contextlib
import ctypes
import os
import signal
import threading
import time

import pytest

from serving.process import interrupts


def send(number=signal.SIGINT):
    os.kill(os.getpid(), number)
    # The handler runs before the interpreter goes on.


def swallowed(number=signal.SIGINT):
    """A library that goes on as if nothing had been."""
    with contextlib.suppress(KeyboardInterrupt):
        send(number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts_and_stays_known(number):
    with interrupts.listening():
        with pytest.raises(KeyboardInterrupt):
            send(number)
        assert interrupts.received() == number


def test_a_signal_that_was_swallowed_is_raised_where_it_is_checked():
    with interrupts.listening():
        interrupts.check()
        swallowed()
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()


def test_within_a_held_block_a_signal_is_only_remembered():
    with interrupts.listening():
        with interrupts.held():
            send()
            assert interrupts.received() == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()


def test_what_is_let_through_stops_for_a_signal_of_before_within_and_swallowed():
    with interrupts.listening(), interrupts.held():
        with pytest.raises(KeyboardInterrupt), interrupts.let_through():
            send()
        with pytest.raises(KeyboardInterrupt), interrupts.let_through():
            pytest.fail("it began")
    with (
        interrupts.listening(),
        interrupts.held(),
        pytest.raises(KeyboardInterrupt),
        interrupts.let_through(),
    ):
        swallowed()


def test_the_handlers_and_what_came_are_gone_after_the_block():
    former = signal.getsignal(signal.SIGTERM)
    with interrupts.listening():
        swallowed(signal.SIGTERM)
        with interrupts.listening():
            assert interrupts.received()
        assert signal.getsignal(signal.SIGTERM) != former
    assert signal.getsignal(signal.SIGTERM) == former
    assert interrupts.received() is None


def test_what_was_ignored_stays_ignored():
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts.listening():
            send(signal.SIGHUP)
            assert interrupts.received() is None
    finally:
        signal.signal(signal.SIGHUP, former)


def test_another_thread_may_use_all_of_it():
    seen = []

    def work():
        with interrupts.listening(), interrupts.held(), interrupts.let_through():
            seen.append(signal.getsignal(signal.SIGINT))

    former = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [former]


def child_that(act):
    """Forks, with handlers installed; the exit code."""
    child = os.fork()
    if not child:
        code = 99
        try:
            with interrupts.listening():
                act()
        except KeyboardInterrupt:
            code = 98
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def in_cpp():
    """Is in a call in which no handler of Python runs, as in an operation of TensorFlow."""
    libc = ctypes.CDLL(None)
    for _ in range(1000):
        libc.usleep(100_000)  # A signal cuts it short.


@pytest.mark.parametrize("stuck", [in_cpp, lambda: time.sleep(1000)])
def test_a_second_signal_ends_at_once_even_a_held_block(monkeypatch, stuck):
    monkeypatch.setattr(interrupts, "_ECHO_SECONDS", -1)

    def act():
        with interrupts.held():
            send()
            send(signal.SIGTERM)
            stuck()

    assert child_that(act) == 128 + signal.SIGTERM


def test_the_echo_of_a_signal_is_none_more(monkeypatch):
    monkeypatch.setattr(interrupts, "_ECHO_SECONDS", 1000)

    def act():
        with interrupts.held():
            send()
            send()

    assert child_that(act) == 99


def test_a_blocked_signal_waits_until_somebody_listens():
    def act():
        interrupts.block()
        # To this thread, which blocks it: gRPC, if a test before used it, starts others in a fork.
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        os.write(write, b"it waits")
        with interrupts.listening():
            os.write(write, b", not")

    read, write = os.pipe()
    # The fork installs handlers itself.
    child = os.fork()
    if not child:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            act()
        except KeyboardInterrupt:
            os._exit(98)
        os._exit(99)
    os.close(write)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 98
    with os.fdopen(read) as message:
        assert message.read() == "it waits"
