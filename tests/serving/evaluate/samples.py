"""Labelled images made for tests: to the model `saved`, as ill as they are white."""

import numpy as np

from tests.images import encode


def grey(value, side=40):
    return encode(np.full((side, side), value, np.uint8), "png-grey")


NORMAL = {"IM-0001-0001.png": 20, "IM-0001-0002.png": 30, "IM-0002-0001.png": 90, "x.png": 140}
PNEUMONIA = {
    "person1_virus_1.png": 250,
    "person1_virus_2.png": 240,
    "person2_bacteria_3.png": 200,
    "person3_bacteria_4.png": 120,
}


def fill(folder):
    """Four images of each class; one of each is on the wrong side of 0.5."""
    for label, values in {"NORMAL": NORMAL, "PNEUMONIA": PNEUMONIA}.items():
        (folder / label).mkdir(parents=True)
        for name, value in values.items():
            (folder / label / name).write_bytes(grey(value))
    return folder
