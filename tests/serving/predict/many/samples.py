"""Images and TFRecord files to evaluate, and the tables that are made of them."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import tensorflow as tf

from serving.predict.files import predict
from tests.images import encode


def grey(value):
    return encode(np.full((40, 40), value, np.uint8), "png-grey")


def fill(folder, count):
    """Writes images whose greys and so whose probabilities are all different."""
    for number in range(count):
        (folder / f"{number % 3}").mkdir(parents=True, exist_ok=True)
        (folder / f"{number % 3}" / f"{number:03d}.png").write_bytes(grey(10 * number))
    return folder


def example(image, filename=None):
    made = tf.train.Example()
    if image is not None:
        made.features.feature["image"].bytes_list.value.append(image)
    if filename is not None:
        made.features.feature["filename"].bytes_list.value.append(filename.encode())
    return made.SerializeToString()


def write_records(file, records):
    compression = "GZIP" if file.name.endswith(".gz") else ""
    with tf.io.TFRecordWriter(str(file), options=compression) as writer:
        for record in records:
            writer.write(record)
    return file


def numbered(count):
    return [example(grey(10 * number), f"{number}.png") for number in range(count)]


_BOOLEANS = {"True": True, "False": False, "": None}


def read(out):
    if out.suffix == ".parquet":
        return pq.read_table(out).to_pylist()
    if out.suffix == ".jsonl":
        return [json.loads(line) for line in out.read_text().split("\n")[:-1]]
    with out.open(newline="") as file:
        return [
            row
            | {
                "probability": float(row["probability"]) if row["probability"] else None,
                "valid": _BOOLEANS[row["valid"]],
                "in_domain": _BOOLEANS[row["in_domain"]],
                "domain_distance": (
                    float(row["domain_distance"]) if row["domain_distance"] else None
                ),
                "triage": row["triage"] or None,
            }
            for row in csv.DictReader(file)
        ]


def expected(version, *paths):
    return [vars(each) for each in predict(version, paths)]


def names(out):
    return [Path(row["path"]).name for row in read(out)]
