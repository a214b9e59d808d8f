"""A user's own function from a decoded image to the model's pixels, by its importable path.

``transform.function: my_package.my_module.my_function`` in the configuration has
``my_function(pixels, size)`` take the place of resizing and contrast:

``pixels``
    [height, width, 1] uint8, a decoded image, upright; neither side is known before it runs.
``size``
    The side of the images that the model sees, an int.

Returns:
    [size, size, 1] float32 in [0, 1], the same for the same image; they are stored as 256 grey
    levels.

It becomes part of Transform's graph, and with it of the model: nothing that evaluates or serves a
model imports it. So it is made of TensorFlow's own operations, without variables and without
``tf.py_function``. An image on which it fails, or leaves [0, 1], counts as one that cannot be
decoded. Every command reads this module: TensorFlow is imported in its functions.
"""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from transform_module.errors import UserError

if TYPE_CHECKING:
    import tensorflow as tf

_PYTHON_OPS: Final = frozenset(("PyFunc", "PyFuncStateless", "EagerPyFunc"))
_PROBES: Final = ((32, 32), (200, 150), (97, 333))
"""Heights and widths of the images that `check` has prepared."""


def module_of(path: str) -> str:
    """Returns the module's part of a function's path."""
    return path.rpartition(".")[0]


def load(path: str) -> Callable[["tf.Tensor", int], "tf.Tensor"]:
    """Imports the function, for a graph.

    Raises:
        UserError: it cannot be imported.
    """
    import tensorflow as tf

    module, name = module_of(path), path.rpartition(".")[2]
    try:
        function: Any = getattr(importlib.import_module(module), name, None)
    except Exception as error:
        raise _mistake(
            path,
            f"its module cannot be imported ({type(error).__name__}: {error}). Give the path as "
            "Python imports it, and install the module or start in the folder that holds it",
        ) from error
    if not callable(function):
        raise _mistake(path, f"{module} has no function {name}")
    # Transform traces without AutoGraph, in which an `if` on a tensor fails.
    return tf.function(function)


def check(path: str, size: int) -> None:
    """Checks a function by its graph, and by images of noise and a black one.

    Args:
        path: of the function.
        size: of the images that the model sees.

    Raises:
        UserError: it cannot be imported, cannot become a part of a graph, or returns something
            else than the model's pixels; with what was found.
    """
    import tensorflow as tf

    function = load(path)

    def prepare(pixels: Any) -> Any:
        return function(pixels, size)

    try:
        traced = tf.function(prepare).get_concrete_function(
            tf.TensorSpec((None, None, 1), tf.uint8)
        )
    except Exception as error:
        raise _mistake(
            path,
            "it cannot become part of a graph of TensorFlow, called with pixels [height, width, 1] "
            f"uint8 and size ({_first_line(error)})",
        ) from error
    returned = traced.structured_outputs
    expected = f"expected is a tensor [{size}, {size}, 1] float32"
    if not isinstance(returned, tf.Tensor):
        raise _mistake(path, f"it returns {type(returned).__name__}; {expected}")
    if returned.dtype != tf.float32 or not returned.shape.is_compatible_with((size, size, 1)):
        raise _mistake(
            path, f"it returns {returned.shape} {returned.dtype.name}; {expected} in [0, 1]"
        )
    if found := _outside_of_graphs(traced):
        raise _mistake(path, f"it uses {found}, which a served model does not have")
    generator = np.random.default_rng(0)
    probes = [generator.integers(0, 256, (*sides, 1), np.uint8) for sides in _PROBES]
    for pixels in [*probes, np.zeros((64, 64, 1), np.uint8)]:
        _try(path, traced, pixels, size)


def _try(path: str, traced: Any, pixels: np.ndarray, size: int) -> None:
    import tensorflow as tf

    image = f"an image of {pixels.shape[0]}x{pixels.shape[1]} pixels"
    try:
        made, again = (traced(tf.constant(pixels)).numpy() for _ in range(2))
    except Exception as error:
        raise _mistake(path, f"it fails on {image} ({_first_line(error)})") from error
    if made.shape != (size, size, 1):
        raise _mistake(path, f"it makes {list(made.shape)} of {image}, not [{size}, {size}, 1]")
    if not (np.isfinite(made).all() and made.min() >= 0 and made.max() <= 1):
        raise _mistake(
            path, f"it makes values from {made.min():g} to {made.max():g} of {image}, not in [0, 1]"
        )
    if not np.array_equal(made, again):
        raise _mistake(
            path,
            f"it makes other values each time of {image}; random changes belong into "
            "trainer.augmentation, which serving does not have",
        )


def _outside_of_graphs(traced: Any) -> str:
    """Returns what a function uses that no exported graph holds; empty if nothing."""
    import tensorflow as tf

    definition = traced.graph.as_graph_def()
    bodies = (definition.node, *(each.node_def for each in definition.library.function))
    if any(node.op in _PYTHON_OPS for body in bodies for node in body):
        return "tf.py_function or tf.numpy_function"
    if any(each.dtype == tf.resource for each in traced.captured_inputs):
        return "a variable or a table"
    return ""


def _first_line(error: Exception) -> str:
    # AutoGraph's message begins with an empty line and "in user code".
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1] if lines else 'without a message'}"


def _mistake(path: str, problem: str) -> UserError:
    return UserError(f"transform.function is {path}: {problem}.")
