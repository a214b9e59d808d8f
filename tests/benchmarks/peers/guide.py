"""The same CNN, its data as in Keras's guide "Image classification from scratch".

    python tests/benchmarks/peers/guide.py FOLDER --epochs 2

FOLDER holds a folder a class. Pictures are read and decoded anew in every epoch, in colour, and a
fifth of them is set aside for validation, all as the guide's defaults are
(https://keras.io/examples/vision/image_classification_from_scratch/). Prints a JSON line an epoch.
"""

import argparse
import json
import time

STARTED = time.perf_counter()

import keras
import tensorflow as tf

SIZE = 160


def main():
    """Trains."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--epochs", type=int, default=25)
    options = parser.parse_args()
    keras.utils.set_random_seed(1337)
    train, evaluation = keras.utils.image_dataset_from_directory(
        options.folder,
        validation_split=0.2,
        subset="both",
        seed=1337,
        image_size=(SIZE, SIZE),
        batch_size=32,
        label_mode="binary",
        follow_links=True,
    )
    steps = int(train.cardinality())
    augmentation = [
        keras.layers.RandomZoom(0.1, fill_mode="nearest"),
        keras.layers.RandomShear(0.1, fill_mode="nearest"),
        keras.layers.RandomFlip("horizontal"),
    ]

    def augment(x, y):
        for layer in augmentation:
            x = layer(x, training=True)
        return x, y

    train = train.map(augment, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
    evaluation = evaluation.prefetch(tf.data.AUTOTUNE)
    layers = [keras.Input((SIZE, SIZE, 3)), keras.layers.Rescaling(1.0 / 255)]
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
    rate = keras.optimizers.schedules.PolynomialDecay(0.0, steps, end_learning_rate=3e-4)
    model.compile(
        keras.optimizers.Adam(rate),
        "binary_crossentropy",
        metrics=["accuracy", keras.metrics.AUC(name="auc")],
    )

    def told(epoch, logs):
        print(
            json.dumps({"epoch": epoch + 1, "at": time.perf_counter() - STARTED, **logs}),
            flush=True,
        )

    model.fit(
        train,
        validation_data=evaluation,
        epochs=options.epochs,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=told)],
        verbose=0,
    )


if __name__ == "__main__":
    main()
