"""The same CNN as a plain script of Keras and tf.data: decoded once, cached in memory.

    python tests/benchmarks/peers/plain_keras.py SPLITS OUT --epochs 2

SPLITS is a JSON file: "train", "eval", "test" with [path, label] each. Prints a JSON line an epoch,
and one at the end.
"""

import argparse
import json
import time

STARTED = time.perf_counter()

import keras
import tensorflow as tf
from model import SIZE, augmentation, compiled, printing

BATCH = 32


def load(path, label):
    """Reads an image as grey pixels of the model's size, and its label."""
    pixels = tf.io.decode_jpeg(tf.io.read_file(path), channels=1)
    pixels = tf.image.resize(pixels, (SIZE, SIZE), antialias=True)
    return tf.cast(tf.round(pixels), tf.uint8), label


def dataset(images, *, training):
    """Batches of pixels in [0, 1] and labels."""
    paths, labels = zip(*images, strict=True)
    data = tf.data.Dataset.from_tensor_slices((list(paths), list(labels)))
    data = data.map(load, num_parallel_calls=tf.data.AUTOTUNE).cache()
    if training:
        data = data.shuffle(len(images), seed=7)
    data = data.batch(BATCH, drop_remainder=training)
    data = data.map(lambda x, y: (tf.cast(x, tf.float32) / 255.0, y), tf.data.AUTOTUNE)
    if training:
        data = data.map(augmentation(), tf.data.AUTOTUNE)
    return data.prefetch(tf.data.AUTOTUNE)


def main():
    """Trains, evaluates on the test split, exports."""
    parser = argparse.ArgumentParser()
    parser.add_argument("splits")
    parser.add_argument("out")
    parser.add_argument("--epochs", type=int, default=25)
    options = parser.parse_args()
    with open(options.splits) as file:
        splits = json.load(file)
    keras.utils.set_random_seed(7)
    train, counts = splits["train"], [0, 0]
    for _, label in train:
        counts[label] += 1
    model = compiled(len(train) // BATCH, keras.Input((SIZE, SIZE, 1)))
    model.fit(
        dataset(train, training=True),
        validation_data=dataset(splits["eval"], training=False),
        epochs=options.epochs,
        class_weight={label: len(train) / (2 * count) for label, count in enumerate(counts)},
        callbacks=[
            keras.callbacks.EarlyStopping(
                "val_auc", mode="max", patience=5, restore_best_weights=True
            ),
            printing(STARTED),
        ],
        verbose=0,
    )
    tested = model.evaluate(dataset(splits["test"], training=False), verbose=0, return_dict=True)
    model.export(options.out, verbose=False)
    print(json.dumps({"at": time.perf_counter() - STARTED, **tested}))


if __name__ == "__main__":
    main()
