"""The Keras model of some settings, checked against what every model is."""

from typing import cast

import keras

from trainer_module import models
from trainer_module.settings.trainer import TrainerSettings


def build(
    settings: TrainerSettings, *, size: int, synchronized: bool, precision: str
) -> keras.Model:
    """Builds the model that the settings name.

    Args:
        settings: `settings.model` names the module in `trainer_module.models`.
        size: side of the images, in pixels.
        synchronized: whether batch normalization takes its statistics over all replicas.
        precision: what the layers compute in, ``float32`` or ``bfloat16``; weights are float32.

    Returns:
        An uncompiled model: pixels [N, size, size, 1] float32 in [0, 1] in, probability of
        pneumonia [N, 1] float32 out.

    Raises:
        ValueError: the module builds another kind of model.
    """
    module = models.module(settings.model)
    former = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        model = module.build(settings.of_model, size=size, synchronized=synchronized)
    finally:
        keras.config.set_dtype_policy(former)
    built = (model.input_shape, model.output_shape, model.outputs[0].dtype)
    expected = ((None, size, size, 1), (None, 1), "float32")
    if built != expected:
        raise ValueError(
            f"{module.__name__}.build must build a model of input shape, output shape and output"
            f" dtype {expected}. Received: {built}."
        )
    return cast(keras.Model, model)


def split(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Parts a model at its last feature map; the parts have the model's own layers.

    Returns:
        The backbone, from pixels to features, and the head, from features to probability.
    """
    features = model.get_layer(models.FEATURES).output
    return keras.Model(model.inputs, features), keras.Model(features, model.outputs[0])
