"""The CNN of the scripts that Keras trains, and what they print of an epoch."""

import json
import time

import keras

SIZE = 160


def augmentation():
    """Makes what zooms, shears and flips a batch at random, seeded as Keras is at the time."""
    layers = (
        keras.layers.RandomZoom(0.1, fill_mode="nearest"),
        keras.layers.RandomShear(0.1, fill_mode="nearest"),
        keras.layers.RandomFlip("horizontal"),
    )

    def augment(pixels, label):
        for layer in layers:
            pixels = layer(pixels, training=True)
        return pixels, label

    return augment


def compiled(steps_per_epoch, *first):
    """Two convolution blocks and three dense layers after the first ones; a rate that warms up."""
    layers = list(first)
    for filters in (32, 64):
        layers += [
            keras.layers.Conv2D(filters, 3, padding="same", activation="relu"),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Dropout(0.1),
            keras.layers.MaxPooling2D(),
        ]
    layers.append(keras.layers.Flatten())
    for units in (512, 256, 128):
        layers += [
            keras.layers.Dense(units, activation="relu"),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Dropout(0.3),
        ]
    layers.append(keras.layers.Dense(1, activation="sigmoid"))
    model = keras.Sequential(layers)
    rate = keras.optimizers.schedules.PolynomialDecay(0.0, steps_per_epoch, end_learning_rate=3e-4)
    model.compile(
        keras.optimizers.Adam(rate),
        "binary_crossentropy",
        metrics=["accuracy", keras.metrics.AUC(name="auc")],
    )
    return model


def printing(started):
    """A callback that prints a JSON line an epoch, with the seconds since a start."""

    def print_epoch(epoch, logs):
        at = time.perf_counter() - started
        print(json.dumps({"epoch": epoch + 1, "at": at, **logs}), flush=True)

    return keras.callbacks.LambdaCallback(on_epoch_end=print_epoch)
