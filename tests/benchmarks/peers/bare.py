"""The bare loops: what reading, writing and transforming these images takes by itself.

    python tests/benchmarks/peers/bare.py copy SPLITS RECORDS
    python tests/benchmarks/peers/bare.py transform RECORDS OUT
    python tests/benchmarks/peers/bare.py evaluate MODEL RECORDS
    python tests/benchmarks/peers/bare.py all SPLITS RECORDS OUT MODEL

copy reads each image and writes it with its label to TFRecords; transform parses, decodes,
resizes, encodes and writes the splits that are trained on; evaluate predicts with a SavedModel the
test split and computes its AUC. Prints the seconds of each as JSON, without the imports.
"""

import json
import os
import sys
import time

import tensorflow as tf

SIZE = 160
SPEC = {"image": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}


def example(image, label):
    """One serialized tf.train.Example."""
    features = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def copy(splits, records):
    """Folders to TFRecords, and nothing else."""
    os.makedirs(records, exist_ok=True)
    with open(splits) as file:
        listed = json.load(file)
    for split, images in listed.items():
        with tf.io.TFRecordWriter(f"{records}/{split}.gz", options="GZIP") as writer:
            for path, label in images:
                with open(path, "rb") as image:
                    writer.write(example(image.read(), label))


def transform(records, out):
    """TFRecords of JPEGs to TFRecords of PNGs of the model's size."""
    os.makedirs(out, exist_ok=True)

    def convert(record):
        parsed = tf.io.parse_single_example(record, SPEC)
        pixels = tf.io.decode_jpeg(parsed["image"], channels=1)
        pixels = tf.image.resize(pixels, (SIZE, SIZE), antialias=True)
        png = tf.io.encode_png(tf.cast(tf.round(pixels), tf.uint8), compression=4)
        return png, parsed["label"]

    for split in ("train", "eval"):
        data = tf.data.TFRecordDataset(f"{records}/{split}.gz", "GZIP")
        data = data.map(convert, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
        with tf.io.TFRecordWriter(f"{out}/{split}.gz", options="GZIP") as writer:
            for image, label in data.as_numpy_iterator():
                writer.write(example(image, int(label)))


def predict(model, records):
    """Asks the model about the test split; returns its AUC."""
    signature = tf.saved_model.load(model).signatures["serving_default"]
    data = tf.data.TFRecordDataset(f"{records}/test.gz", "GZIP").batch(64)
    auc = tf.keras.metrics.AUC()
    for batch in data:
        parsed = tf.io.parse_example(batch, SPEC)
        auc.update_state(parsed["label"], signature(image_bytes=parsed["image"])["probability"])
    return float(auc.result())


def main():
    """Runs and times one stage."""
    what, *paths = sys.argv[1:]
    seconds = {}

    def timed(name, work, *arguments):
        started = time.perf_counter()
        work(*arguments)
        seconds[name] = time.perf_counter() - started

    match what, paths:
        case "copy", [splits, records]:
            timed(what, copy, splits, records)
        case "transform", [records, out]:
            timed(what, transform, records, out)
        case "evaluate", [model, records]:
            timed(what, predict, model, records)
        case "all", [splits, records, out, model]:
            timed("copy", copy, splits, records)
            timed("transform", transform, records, out)
            timed("evaluate", predict, model, records)
        case _:
            sys.exit(__doc__)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
