import os
import signal
import struct
import threading

import numpy as np
import pytest

from serving.images.encoding import formats, isolation
from tests.images import grey_pixels
from tests.serving.images.encoding.samples import LOSSLESS

GREY = grey_pixels()
DATA = LOSSLESS["tiff"](GREY)
SIZE = GREY.shape[::-1]


@pytest.fixture(autouse=True)
def no_processes():
    isolation._end_all()
    yield
    isolation._end_all()


def reencoded(data=DATA):
    return isolation.reencoded(data, formats.TIFF, SIZE)


def test_a_process_is_used_again():
    reencoded()
    (process,) = isolation._idle
    reencoded()
    assert list(isolation._idle) == [process]


def test_a_process_that_met_a_damaged_file_is_not_used_again():
    assert reencoded(DATA[:-60]) == "damaged TIFF"
    assert not isolation._idle
    assert isinstance(reencoded(), tuple)


def test_a_process_that_died_meanwhile_is_replaced():
    reencoded()
    process = isolation._idle[0]._process
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert isinstance(reencoded(), tuple)


def test_a_decoder_that_takes_too_long_is_killed(monkeypatch):
    monkeypatch.setattr(isolation, "_SECONDS", 0)
    monkeypatch.setattr(isolation, "_SECONDS_PER_MILLION_PIXELS", 0)
    assert reencoded() == "damaged TIFF"


def test_memory_is_bounded_by_the_size_of_the_header(monkeypatch):
    # Of 100 million pixels, which the header of this one denies.
    large = LOSSLESS["jpeg2000"](np.zeros((10_000, 10_000), np.uint8))
    assert isolation.reencoded(large, formats.JPEG_2000, (64, 64)) == "damaged JPEG 2000"


def test_threads_have_a_process_each():
    found = []
    threads = [threading.Thread(target=lambda: found.append(reencoded())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert isinstance(found[0], tuple)
    assert 1 <= len(isolation._idle) <= 4


def test_a_forked_process_leaves_its_parents_alone():
    reencoded()
    (process,) = isolation._idle
    child = os.fork()
    if not child:
        os._exit(len(isolation._idle))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    reencoded()
    assert list(isolation._idle) == [process]


def test_an_input_that_is_cut_off_raises_nothing():
    assert reencoded(struct.pack("<2sHI", b"II", 42, 8)) == "damaged TIFF"
