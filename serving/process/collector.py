"""The import of TensorFlow and TFX, without what takes time and is of no use, and their notices."""

import contextlib
import gc
import sys
from collections.abc import Iterator

from serving.process.native_log import quieted


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


@contextlib.contextmanager
def without_keras() -> Iterator[None]:
    """Lets TensorFlow be imported without Keras, for what only runs SavedModels.

    TensorFlow imports Keras at its end for `tf.keras`, and does without where there is none. Keras
    brings Pandas and scikit-learn: 40 % of the time that the import takes. After the block Keras
    can be imported as usual.
    """
    is_hidden = "keras" not in sys.modules
    if is_hidden:
        sys.modules["keras"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if is_hidden:
            del sys.modules["keras"]
