"""The few files of a set that are not good images, as real folders hold them."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image

from components.synthetic.drawing import BACTERIA, VIRUS
from components.synthetic.plan import TEST, TRAIN, PlannedImage
from transform_module.contract import LABELS

NORMAL_NAME, PNEUMONIA_NAME = LABELS


@dataclass(frozen=True)
class BrokenFile:
    """A file that a conversion must not trip over.

    Args:
        path: relative to the root of the set; patients' numbers are 0, which no good image has.
        what: what is wrong, in words.
        content: returns its bytes, given a function that returns those of a planned image.
    """

    path: str
    what: str
    content: Callable[[Callable[[PlannedImage], bytes]], bytes]


def broken_files(images: Sequence[PlannedImage]) -> tuple[BrokenFile, ...]:
    """Returns one file of each kind.

    Args:
        images: the plan of the set, with a JPEG of either pneumonia in ``train``.
    """
    to_truncate = _first_jpeg(images, BACTERIA)
    to_repeat = _first_jpeg(images, VIRUS)
    train_normal, train_pneumonia = f"{TRAIN}/{NORMAL_NAME}", f"{TRAIN}/{PNEUMONIA_NAME}"
    return (
        BrokenFile(
            f"{train_pneumonia}/person0_bacteria_0.jpeg",
            "truncated JPEG",
            lambda encode: (data := encode(to_truncate))[: len(data) // 2],
        ),
        BrokenFile(
            f"{train_pneumonia}/person0_virus_0.jpeg",
            f"same bytes as {to_repeat.path}",
            lambda encode: encode(to_repeat),
        ),
        BrokenFile(f"{train_normal}/IM-0000-0001.jpeg", "empty file", lambda _: b""),
        BrokenFile(
            f"{train_normal}/.DS_Store", "system file", lambda _: b"\0\0\0\1Bud1" + bytes(64)
        ),
        BrokenFile(
            f"{TEST}/{PNEUMONIA_NAME}/person0_virus_0.jpeg",
            "text named .jpeg",
            lambda _: b"<html><body>404: this X-ray has moved.</body></html>\n",
        ),
        BrokenFile(
            f"{TEST}/{NORMAL_NAME}/IM-0000-0001.jpeg", "icon of 16x16 pixels", lambda _: _icon()
        ),
    )


def _first_jpeg(images: Sequence[PlannedImage], subtype: str) -> PlannedImage:
    return next(
        image
        for image in images
        if (image.split, image.subtype) == (TRAIN, subtype) and image.path.endswith(".jpeg")
    )


def _icon() -> bytes:
    stream = io.BytesIO()
    Image.new("L", (16, 16), 128).save(stream, "JPEG")
    return stream.getvalue()
