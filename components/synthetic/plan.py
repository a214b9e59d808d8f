"""Plan of a synthetic dataset: patients, their images, splits and names."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from components.synthetic.drawing import BACTERIA, NORMAL, VIRUS
from transform_module.contract import LABELS

TRAIN, VAL, TEST = "train", "val", "test"
"""The folders of the published dataset; its ``val`` is too small to be a split of its own."""

# The published val folder holds 16 images, and its subtypes are mixed about like this; the share
# of test is that of a common hold-out.
VAL_IMAGES = 16
_SPLIT_SHARES = {TRAIN: 0.74, VAL: 0.035, TEST: 0.225}
_SUBTYPE_SHARES = {NORMAL: 0.37, BACTERIA: 0.38, VIRUS: 0.25}
_MAXIMUM_PER_PATIENT = 5


@dataclass(frozen=True)
class PlannedImage:
    """One X-ray to draw.

    Args:
        index: its place in the order of drawing, from 0; with the seed it decides the drawing.
        patient: likewise of the patient, over all subtypes.
        split: ``train``, ``val`` or ``test``.
        subtype: ``normal``, ``bacteria`` or ``virus``.
        path: relative to the root of the set, with ``/``, named as in the published dataset.
    """

    index: int
    patient: int
    split: str
    subtype: str
    path: str

    @property
    def label_name(self) -> str:
        """The name of its class, and of its folder."""
        return LABELS[self.subtype != NORMAL]


def plan(images: int, seed: int) -> tuple[PlannedImage, ...]:
    """Plans ``images`` images; a longer plan with the same seed begins with a shorter one.

    Every patient goes where images are missing most, so that the shares hold at any length, and
    no patient is in two splits.

    Args:
        images: how many images, 1 or more.
        seed: 0 or more.
    """
    planned: list[PlannedImage] = []
    placed: Counter[tuple[str, str]] = Counter()
    patients_of: Counter[str] = Counter()
    images_of: Counter[str] = Counter()
    val = 0
    patient = 0
    while len(planned) < images:
        rng = np.random.default_rng([seed, patient])
        split, subtype = max(
            (
                (split, subtype)
                for split in _SPLIT_SHARES
                for subtype in _SUBTYPE_SHARES
                if split != VAL or val < VAL_IMAGES
            ),
            key=lambda group: (
                _SPLIT_SHARES[group[0]] * _SUBTYPE_SHARES[group[1]] * (len(planned) + 1)
                - placed[group]
            ),
        )
        patients_of[subtype] += 1
        count = int(rng.integers(1, _MAXIMUM_PER_PATIENT + 1))
        if split == VAL:
            count = min(count, VAL_IMAGES - val)
            val += count
        for view in range(1, count + 1):
            images_of[subtype] += 1
            name = _name(subtype, patients_of[subtype], images_of[subtype], view)
            # The image's own format is not the class's business: some of each are PNG.
            suffix = "png" if rng.random() < 0.08 else "jpeg"
            folder = f"{split}/{LABELS[subtype != NORMAL]}"
            planned.append(
                PlannedImage(len(planned), patient, split, subtype, f"{folder}/{name}.{suffix}")
            )
        placed[split, subtype] += count
        patient += 1
    return tuple(planned[:images])


def _name(subtype: str, patient: int, image: int, view: int) -> str:
    """Returns a file's stem as the published dataset has it: numbers repeat between subtypes."""
    if subtype != NORMAL:
        return f"person{patient}_{subtype}_{image}"
    return f"{'NORMAL2-' if patient % 2 else ''}IM-{patient:04d}-{view:04d}"
