"""Decoding in a process apart, with bounds on its time and memory.

The decoders of HEIC, AVIF, JPEG 2000 and TIFF are large programs in C that damaged files crash: of
libheif 1.23, one in a few hundred files of which a few bytes were changed. A header of 300 bytes
can take gigabytes and minutes. Here all that dies is a process of which there may be others.
"""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import deque
from typing import IO, Final

from serving.images.dicom.facts import Facts
from serving.images.encoding import formats
from serving.images.encoding.headers import Size

_PROGRAM: Final = "serving.images.encoding.decoding_process"

# To decode 49 million pixels took 7 s of a TIFF, and 20 s of JPEG 2000, beside other programs.
# The start, too, has to pass within the time.
_SECONDS: Final = 30
_SECONDS_PER_MILLION_PIXELS: Final = 2

# Measured: 9 bytes a pixel of 16 bits, 22 of colours; the decoder, Pillow and NumPy have them each.
_BYTES: Final = 256 * 1024 * 1024
_BYTES_PER_PIXEL: Final = 32

_ENVIRONMENT: Final = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
"""Threads and arenas that reserve addresses which the limit counts."""


Reencoded = tuple[bytes, Facts | None]
"""A PNG, and what the tags of a DICOM file say."""


class _Process:
    """A process that decodes one image at a time."""

    def __init__(self) -> None:
        # A group of its own: an interrupt of the terminal is for its parent, with whose death its
        # input ends.
        self._process = subprocess.Popen(
            [sys.executable, "-m", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_ENVIRONMENT},
            process_group=0,
        )

    def reencoded(self, data: bytes, form: str, pixels: int) -> Reencoded | str | None:
        """See `reencoded`; None where the file is damaged, after which the process has ended."""
        memory = _BYTES + pixels * _BYTES_PER_PIXEL + 2 * len(data)
        request = {"form": form, "memory": memory, "bytes": len(data)}
        seconds = _SECONDS + pixels * _SECONDS_PER_MILLION_PIXELS / 1_000_000
        timer = threading.Timer(seconds, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            requests, responses = self._pipes
            requests.write(json.dumps(request).encode() + b"\n")
            requests.write(data)
            requests.flush()
            response = json.loads(responses.readline() or "null")
            if response is None or "reason" in response:
                return response and str(response["reason"])
            image, facts = responses.read(response["bytes"]), response["facts"]
            whole = len(image) == response["bytes"]
            return (image, Facts(**facts) if facts else None) if whole else None
        except (OSError, ValueError):
            return None
        finally:
            timer.cancel()

    @property
    def is_running(self) -> bool:
        """Whether it has not died while it was idle."""
        return self._process.poll() is None

    def end(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        for pipe in self._pipes:
            with contextlib.suppress(OSError):
                pipe.close()

    @property
    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._process.stdin
        assert self._process.stdout
        return self._process.stdin, self._process.stdout


# Those that decode nothing at the moment: as many as there ever were threads that did at once.
_idle: deque[_Process] = deque()
# The pipes of a forked process are its parent's.
os.register_at_fork(after_in_child=_idle.clear)


def reencoded(data: bytes, form: str, size: Size) -> Reencoded | str:
    """Decodes an image, and encodes its pixels without loss. Any number of threads may call it.

    Args:
        data: the content of a file.
        form: its format, see `formats`.
        size: of its header, by which time and memory are bounded.

    Returns:
        A PNG, with the facts of a DICOM file; or why the image is not read.
    """
    process, found = _take(), None
    try:
        found = process.reencoded(data, form, size[0] * size[1])
    finally:
        if found is None:
            process.end()
        else:
            _idle.append(process)
    return f"damaged {formats.NAMES[form]}" if found is None else found


def _take() -> _Process:
    while _idle:
        with contextlib.suppress(IndexError):  # Another thread has taken the last one.
            process = _idle.pop()
            if process.is_running:
                return process
            process.end()
    return _Process()


@atexit.register
def _end_all() -> None:
    while _idle:
        _idle.pop().end()
