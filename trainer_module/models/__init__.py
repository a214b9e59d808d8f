"""The models, each in a module: adding a model is adding a file here.

The module ``NAME.py`` holds

``Settings``
    A frozen pydantic model with a default and a description for each field. It is the section
    ``trainer.NAME`` of the configuration, and its fields can be searched for. A field
    ``frozen_epochs`` is the number of epochs at first in which only what follows the layer
    `FEATURES` learns.
``build(settings, *, size, synchronized)``
    Returns an uncompiled Keras model: pixels [N, size, size, 1] float32 in [0, 1] in, probability
    of pneumonia [N, 1] float32 out of a dense layer with a sigmoid. A layer named `FEATURES` has
    the last feature map [N, height, width, channels] as its output; heat maps are made of it.
    ``synchronized`` says whether batch normalization takes its statistics over all replicas.

and, where there is something to say,

``parameters(settings, size)``
    The number of parameters, computed without Keras; it is printed before a run.
``weights(settings)``
    The identity of weights that the model begins with: with other ones it is trained again.
    Raises `WeightsError` where a file or a package is missing.
``require_weights(settings)``
    Has these weights at hand, by a download if need be. Raises `WeightsError`.

Every command reads the settings: a module imports Keras and TensorFlow in its functions.
"""

import importlib
import pkgutil
from types import ModuleType
from typing import Final

from pydantic import BaseModel

from transform_module.errors import UserError

FEATURES: Final = "features"
"""Names, in every model, the layer whose output is the last feature map."""

NAMES: Final = tuple(sorted(each.name for each in pkgutil.iter_modules(__path__)))


class WeightsError(ValueError):
    """The configured weights cannot be found."""


def module(name: str) -> ModuleType:
    """Imports a model's module.

    Raises:
        UserError: it cannot be imported, or lacks what each model has.
    """
    where = f"trainer_module/models/{name}.py"
    try:
        found = importlib.import_module(f"{__name__}.{name}")
    except Exception as error:
        raise UserError(f"{where} cannot be imported: {type(error).__name__}: {error}") from error
    settings = getattr(found, "Settings", None)
    if not (isinstance(settings, type) and issubclass(settings, BaseModel)):
        raise UserError(f"{where} has no class Settings, a pydantic model; see {__name__}.")
    if not callable(getattr(found, "build", None)):
        raise UserError(f"{where} has no function build; see {__name__}.")
    return found


def weights(name: str, settings: BaseModel) -> str:
    """Returns the identity of the weights that a model begins with; empty where it has none.

    Args:
        name: of the model.
        settings: its own.

    Raises:
        WeightsError: a file or a package is missing.
    """
    identity = getattr(module(name), "weights", None)
    return str(identity(settings)) if identity else ""
