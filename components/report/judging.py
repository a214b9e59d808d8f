"""Judging the test split with a new model, and with the pushed one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf
from tfx import types
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.analysis import compute
from components.analysis.drift import drift
from components.analysis.findings import Findings
from components.images.patients import UNKNOWN_SUBTYPE
from serving.evaluate.job import trained_on, transform_of
from serving.evaluate.judging import judge
from serving.evaluate.labelled import Labelled
from serving.evaluate.spoiling import judge_spoilt
from serving.model import Model
from transform_module import features


@dataclass(frozen=True)
class Named:
    """A model and how it is called."""

    name: str
    model: Model


def unpacked(examples: types.Artifact, folder: Path) -> Iterator[Labelled]:
    """Writes the pictures of the split ``test`` into files.

    Args:
        examples: as they are before Transform.
        folder: is there; gets a file each.

    Yields:
        Each picture with what its example tells of it.
    """
    pattern = io_utils.all_files_pattern(artifact_utils.get_split_uri([examples], features.TEST))
    files = sorted(tf.io.gfile.glob(pattern))
    records = tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator()
    for number, record in enumerate(records):
        example = tf.train.Example.FromString(record).features.feature
        file = folder / str(number)
        file.write_bytes(example[features.IMAGE].bytes_list.value[0])
        subtype = _text(example, features.SUBTYPE)
        yield Labelled(
            file=file,
            name=_text(example, features.FILENAME),
            label=features.LABELS[example[features.LABEL].int64_list.value[0]],
            subtype="" if subtype == UNKNOWN_SUBTYPE else subtype,
            patient=_text(example, features.PATIENT_ID),
        )


def findings(
    new: Named, pictures: list[Labelled], *, pushed: Named | None, corruptions: int
) -> Findings:
    """Judges pictures, and computes what that tells.

    Args:
        new: the model.
        pictures: at least one of each class.
        pushed: the model to compare with; None compares with none.
        corruptions: how many of the pictures are spoilt, too.

    Raises:
        UserError: a class is missing.
    """
    threshold = float(new.model.record["threshold"])
    judgement = judge(
        new.model.answer,
        pictures,
        transform=transform_of(new.model),
        ask_other=pushed.model.answer if pushed else None,
    )
    valid = [
        picture
        for picture, is_valid in zip(pictures, judgement.judged.valid, strict=True)
        if is_valid
    ]
    spoilt = []
    if corruptions and valid:
        spoilt = judge_spoilt(new.model.answer, valid, threshold, sample=corruptions)
    other = None
    if pushed and judgement.other:
        other = compute.Other(
            name=pushed.name,
            threshold=float(pushed.model.record["threshold"]),
            probability=judgement.other.probability,
            valid=judgement.other.valid,
        )
    return compute.findings(
        judgement.judged,
        model=new.name,
        record=new.model.record,
        data=f"the split {features.TEST}",
        threshold=threshold,
        corruptions=spoilt,
        drift=drift(trained_on(new.model.path), judgement.judged),
        other=other,
    )


def _text(example: dict[str, tf.train.Feature], name: str) -> str:
    values = example[name].bytes_list.value
    return bytes(values[0]).decode(errors="replace") if values else ""
