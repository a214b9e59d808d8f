"""The import of TensorFlow and TFX, without garbage collection and without their notices."""

import contextlib
import gc
from collections.abc import Iterator

from components.native_log import quieted


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Collects no garbage while modules are imported, nor ever searches what they have made.

    Imports make a million objects that stay. The collector would search them again and again while
    they come, and once more when the process ends: half of the 8 s that a process of TFX took to
    start and end. Garbage made here stays too; imports make next to none.

    What native libraries write to standard error meanwhile is reduced to errors, see `quieted`.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        with quieted():
            yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()
