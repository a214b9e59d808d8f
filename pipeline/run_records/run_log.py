"""The log file that takes what TFX, TensorFlow and Beam say."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from serving.process import quoted_data
from serving.process.interrupts import held
from serving.process.log_format import DataFreeFormatter

_FORMAT = "%(asctime)s %(levelname).1s %(name)s: %(message)s"


@contextmanager
def redirected_to(path: Path) -> Iterator[TextIO]:
    """Sends all output of this process and its children to a file, that of C++ too.

    What libraries quote of the data is left out of what is logged here at once, and of what others
    have written when the block ends.

    Args:
        path: the log file; made with its folder, appended to.

    Yields:
        The terminal's standard error, which nothing else writes to meanwhile.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # TensorFlow's C++ reads it once, on import: 1 leaves warnings and errors.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    sys.stdout.flush()
    sys.stderr.flush()
    saved = (os.dup(1), os.dup(2))
    with (
        path.open("a", encoding="utf-8") as log,
        os.fdopen(os.dup(2), "w", encoding="utf-8") as terminal,
    ):
        handler = logging.StreamHandler(log)
        handler.setFormatter(DataFreeFormatter(_FORMAT, one_line=False))
        root = logging.getLogger()
        former_level = root.level
        root.setLevel(logging.INFO)
        root.addHandler(handler)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        try:
            yield terminal
        finally:
            with held():
                _flush(sys.stdout, 1)
                _flush(sys.stderr, 2)
                os.dup2(saved[0], 1)
                os.dup2(saved[1], 2)
                for descriptor in saved:
                    os.close(descriptor)
                root.removeHandler(handler)
                root.setLevel(former_level)
                with suppress(OSError):
                    log.close()
                    # Workers and C++ have written to it by themselves.
                    quoted_data.clean_file(path)


def _flush(stream: TextIO, descriptor: int) -> None:
    """Writes what is buffered to the log, or drops it where the disk is full."""
    try:
        stream.flush()
    except OSError:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), descriptor)
        stream.flush()


@contextmanager
def silenced() -> Iterator[TextIO]:
    """Drops all output of this process and its children, that of C++ too.

    Only what is wrong with a model's versions is still reported.

    Yields:
        The terminal's standard error, which little else writes to meanwhile.
    """
    with redirected_to(Path(os.devnull)) as terminal:
        handler = logging.StreamHandler(terminal)
        handler.setFormatter(DataFreeFormatter())
        logger = logging.getLogger("serving.model")
        logger.addHandler(handler)
        try:
            yield terminal
        finally:
            logger.removeHandler(handler)
