"""The same CNN, its data as in Keras's guide "Image classification from scratch".

    python tests/benchmarks/peers/guide.py FOLDER --epochs 2

FOLDER holds a folder a class. Images are read and decoded anew in every epoch, in colour, and a
fifth of them is set aside for validation, all as the guide's defaults are
(https://keras.io/examples/vision/image_classification_from_scratch/). Prints a JSON line an epoch.
"""

import argparse
import time

STARTED = time.perf_counter()

import keras
import tensorflow as tf
from model import SIZE, augmentation, compiled, printing


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
    train = train.map(augmentation(), num_parallel_calls=tf.data.AUTOTUNE).prefetch(
        tf.data.AUTOTUNE
    )
    evaluation = evaluation.prefetch(tf.data.AUTOTUNE)
    model = compiled(steps, keras.Input((SIZE, SIZE, 3)), keras.layers.Rescaling(1.0 / 255))
    model.fit(
        train,
        validation_data=evaluation,
        epochs=options.epochs,
        callbacks=[printing(STARTED)],
        verbose=0,
    )


if __name__ == "__main__":
    main()
