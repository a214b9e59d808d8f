"""Image folders, files and images made for tests."""

import gzip
import itertools
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from components.convert.convert import convert
from serving.images.dataset import Dataset
from serving.images.layout import SourceFile
from serving.images.settings import DatasetSettings
from tests.images import encode, grey_pixels

LENIENT = DatasetSettings(max_bad=1.0, shards=2)


def xray(seed: int, name: str = "png-grey") -> bytes:
    """A good image, another one for each seed."""
    return encode(grey_pixels(44, 40, seed), name)


def fill(root: Path, files: Mapping[str, bytes]) -> Path:
    """Writes files, by their paths below ``root``."""
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


def hospital(patients: int, folders: Iterable[str] = ("train/",)) -> dict[str, bytes]:
    """Good images of as many patients of each class in each folder, one or two of each."""
    files = {}
    for number, (folder, patient) in enumerate(itertools.product(folders, range(patients))):
        for view in range(1 + patient % 2):
            files[f"{folder}NORMAL/IM-{number:04d}-{view:04d}.png"] = xray(10 * number + view)
        files[f"{folder}PNEUMONIA/person{number}_virus_1.png"] = xray(10 * number + 5)
    return files


def source(path: str, folder: str = "", label: str = "PNEUMONIA", **known) -> SourceFile:
    """A file of an image folder that need not exist."""
    depth = bool(folder) + bool(label)
    return SourceFile(path.encode(), folder, label, **{"readable": True, "depth": depth, **known})


def dataset_of(images: Path, out: Path, settings: DatasetSettings = LENIENT, **options) -> Dataset:
    """Converts with few shards, and checks that no file was lost."""
    dataset = convert(images, out, settings=settings, **{"seed": 7, **options})
    assert all(count.adds_up for count in dataset.folders)
    return dataset


def shard_bytes(out: Path) -> dict[str, bytes]:
    """The bytes of all shards, by their paths below ``out``."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.glob("*/*.tfrecord.gz"))
    }


def examples(out: Path, split: str = "*") -> list[dict]:
    """The features of all records, read without TensorFlow's own reader of TFRecords."""
    import tensorflow as tf

    found = []
    for shard in sorted(out.glob(f"{split}/*.tfrecord.gz")):
        data = gzip.decompress(shard.read_bytes())
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            example = tf.train.Example.FromString(data[12 : 12 + length])
            data = data[16 + length :]
            found.append(
                {
                    name: [*feature.int64_list.value, *feature.bytes_list.value]
                    for name, feature in example.features.feature.items()
                }
                | {"split": shard.parent.name}
            )
    return found
