"""Heat maps: which regions of an image speak for pneumonia."""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from trainer_module.models import FEATURES


def has_feature_map(model: keras.Model) -> bool:
    """Returns whether a model has the feature map that `grad_cam` explains it by."""
    return any(layer.name == FEATURES for layer in model.layers)


def grad_cam(members: Sequence[keras.Model]) -> Callable[[tf.Tensor], tf.Tensor]:
    """Makes what explains predictions by Grad-CAM, weighted at each position.

    Each value of the last convolutional feature map counts by the logit's gradient there; what
    speaks for pneumonia is kept, and stretched over the image. Sources: Selvaraju et al.,
    "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization" (2017);
    Draelos and Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional
    neural networks" (2020), whose weights these are. Where the map is pooled globally, as in
    `compact`, the two are the same. Where it is flattened, as in `cnn`, Grad-CAM's mean over the
    positions forgets where the evidence is, and points little better than chance.

    Args:
        members: the model, or those whose mean logit is the prediction. Each has a layer named
            `FEATURES`, and ends in a dense layer with a sigmoid.

    Returns:
        A function that runs in graphs too: pixels [N, size, size, 1] float32 in [0, 1] in; heat map
        [N, size, size] float32 in [0, 1] out. A map's highest value is 1, whatever the probability;
        it is 0 everywhere where nothing speaks for pneumonia.
    """
    evidences = [_evidence(member) for member in members]

    def heat_map(pixels: tf.Tensor) -> tf.Tensor:
        evidence = tf.add_n([each(pixels) for each in evidences])
        heat = tf.image.resize(tf.nn.relu(evidence), pixels.shape[1:3])[..., 0]
        return tf.math.divide_no_nan(heat, tf.reduce_max(heat, axis=(1, 2), keepdims=True))

    return heat_map


def _evidence(model: keras.Model) -> Callable[[tf.Tensor], tf.Tensor]:
    """Builds the model of how far each position of the feature map raises the logit."""
    last = model.layers[-1]
    inner = keras.Model(model.inputs, [model.get_layer(FEATURES).output, last.input])

    def evidence(pixels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            # What leads to the map may hold nothing that is trainable, and so watched by itself.
            tape.watch(pixels)
            maps, inputs = inner(pixels, training=False)
            # Not the probability: the gradient of one near 0 or 1 vanishes.
            logit = tf.matmul(inputs, last.kernel) + last.bias
        return tf.reduce_sum(tape.gradient(logit, maps) * maps, axis=-1, keepdims=True)

    return evidence
