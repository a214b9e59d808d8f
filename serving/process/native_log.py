"""Output of native libraries to standard error while they start."""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_NOTICE: Final = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\) is called"
    # Information and warnings by glog and absl, which heed no level until they are initialized.
    rb"|[IW]\d{4} [\d:. ]+\d+ \S+:\d+\] "
    rb"|To enable the following instructions: "
    rb"|\d{4}-\d\d-\d\d [\d:.]+: [IW] \S+:\d+\] "
)
_OF_CUDA: Final = re.compile(
    rb"(E\d{4} [\d:. ]+\d+|\d{4}-\d\d-\d\d [\d:.]+: E) \S*cuda_?\w*\.cc:\d+\] "
)
_DRIVER: Final = Path("/dev/nvidiactl")


@contextlib.contextmanager
def quieted() -> Iterator[None]:
    """Drops the notices that TensorFlow's C++ writes while it is imported and finds its devices.

    They come before any level can be set: that oneDNN is used, that there is no GPU, and, where no
    driver of NVIDIA is installed, errors of CUDA. What else is written meanwhile appears at the end
    of the block.
    """
    try:
        saved = os.dup(2)
    except OSError:  # Standard error is closed.
        yield
        return
    with tempfile.TemporaryFile() as kept:
        _flush()
        os.dup2(kept.fileno(), 2)
        try:
            yield
        finally:
            _flush()
            os.dup2(saved, 2)
            os.close(saved)
            kept.seek(0)
            for line in kept:
                if not is_notice(line, has_driver=_DRIVER.exists()):
                    os.write(2, line)


def is_notice(line: bytes, *, has_driver: bool) -> bool:
    """Returns whether a line of standard error is of no use to whoever starts a command.

    Args:
        line: as a native library wrote it.
        has_driver: whether a driver of NVIDIA is installed, so that errors of CUDA matter.
    """
    return bool(_NOTICE.match(line) or (not has_driver and _OF_CUDA.match(line)))


def _flush() -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
