"""Models by name: ``models/NAME.py`` holds ``build``, settings in, a Keras model out."""

import importlib
from typing import Final, cast

import keras

from trainer_module.settings.trainer import TrainerSettings
from transform_module.contract import IMAGE_SIZE

# Names, in every model, the layer whose output is the last convolutional feature map.
FEATURES: Final = "features"


def build(settings: TrainerSettings, *, synchronized: bool, precision: str) -> keras.Model:
    """Builds the model that the settings name.

    Args:
        settings: `settings.model` is the module's name here, and the name of its own settings.
        synchronized: whether batch normalization takes its statistics over all replicas.
        precision: what the layers compute in, ``float32`` or ``bfloat16``; weights are float32.

    Returns:
        An uncompiled model: pixels [N, 160, 160, 1] float32 in [0, 1] in, probability of
        pneumonia [N, 1] float32 out.

    Raises:
        ValueError: the module builds another kind of model.
    """
    module = importlib.import_module(f"trainer_module.models.{settings.model}")
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        model = module.build(getattr(settings, settings.model), synchronized=synchronized)
    finally:
        keras.config.set_dtype_policy(former)
    built = (model.input_shape, model.output_shape, model.outputs[0].dtype)
    expected = ((None, IMAGE_SIZE, IMAGE_SIZE, 1), (None, 1), "float32")
    if built != expected:
        raise ValueError(
            f"{module.__name__}.build must build a model of input shape, output shape and output"
            f" dtype {expected}. Received: {built}."
        )
    return cast(keras.Model, model)


def frozen_epochs(settings: TrainerSettings) -> int:
    """Returns for how many epochs at first only the model's head learns."""
    return settings.transfer.frozen_epochs if settings.model == "transfer" else 0


def split(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Parts a model at its last feature map; the parts have the model's own layers.

    Returns:
        The backbone, from pixels to features, and the head, from features to probability.
    """
    features = model.get_layer(FEATURES).output
    return keras.Model(model.inputs, features), keras.Model(features, model.outputs[0])
