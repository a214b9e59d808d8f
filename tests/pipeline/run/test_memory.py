import subprocess
import sys
import time

import pytest

from pipeline.run.memory import PeakMemory

MEGABYTE = 10**6


def test_a_peak_is_kept_after_the_memory_is_given_back():
    with PeakMemory() as memory:
        before = memory.peak()
        block = bytearray(b"x") * (150 * MEGABYTE)
        memory.peak()
        del block
        assert memory.peak() - before > 140 * MEGABYTE


def test_a_reset_begins_a_new_measurement():
    with PeakMemory() as memory:
        block = bytearray(b"x") * (150 * MEGABYTE)
        high = memory.peak()
        del block
        memory.reset()
        assert high - memory.peak() > 100 * MEGABYTE


def test_samples_are_taken_meanwhile(monkeypatch):
    monkeypatch.setattr("pipeline.run.memory._INTERVAL_SECONDS", 0.01)
    with PeakMemory() as memory:
        deadline = time.monotonic() + 60
        while not memory._peak:
            assert time.monotonic() < deadline, "no sample is taken"
            time.sleep(0.01)


def test_children_count():
    script = "block = bytearray(b'x') * 100_000_000; print('ready', flush=True); input()"
    with PeakMemory() as memory:
        before = memory.peak()
        with subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child:
            assert child.stdout
            assert child.stdout.readline() == b"ready\n"
            assert memory.peak() - before > 90 * MEGABYTE
            child.communicate(b"\n")


@pytest.mark.parametrize("error", [None, ValueError])
def test_the_sampling_ends_with_the_block(monkeypatch, error):
    monkeypatch.setattr("pipeline.run.memory._INTERVAL_SECONDS", 0.001)
    memory = PeakMemory()
    try:
        with memory:
            if error:
                raise error
    except ValueError:
        pass
    memory.reset()
    time.sleep(0.02)
    assert memory._peak == 0
