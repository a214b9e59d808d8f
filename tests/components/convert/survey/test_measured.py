import random

from components.convert.outcomes import Outcome
from components.convert.survey import measured as module
from components.convert.survey.measured import Sample, measured
from tests.components.convert.folders import source

LOOK = {"brightness": 120.0, "contrast": 50.0, "sharpness": 9.0, "border": 40.0}


def placed(index=0, patient="anna", label="NORMAL", **known):
    fields = {
        "sha256": "ab",
        "format": "png",
        "width": 40,
        "height": 50,
        "bits": 8,
        "colours": "grey",
        "measures": LOOK,
        "split": "train",
        **known,
    }
    size = fields.pop("size", 900)
    file = source(f"train/{label}/{index}.png", "train", label, size=size)
    return Outcome(file, index, patient=patient, **fields)


def rows_of(*outcomes):
    sample = Sample()
    for outcome in outcomes:
        for each in measured(outcome):
            sample += each
    return sample.rows()


def test_an_image_in_a_split_is_described():
    (row,) = rows_of(placed(3, bits=16, unused_bits=4))
    assert (row.place, row.label, row.format, row.colours) == (3, "NORMAL", "png", "grey")
    assert (row.bits, row.width, row.height, row.bytes) == ("12 of 16", 40, 50, 900)
    assert {name: getattr(row, name) for name in LOOK} == LOOK


def test_what_is_in_no_split_is_left_out():
    assert rows_of(placed(split=None), placed(split=None, quarantined="text file")) == []


def test_of_too_many_those_of_the_same_patients_are_kept_in_any_order(monkeypatch):
    monkeypatch.setattr(module, "MOST", 30)
    images = [placed(index, f"patient {index // 3}") for index in range(300)]
    found = []
    for seed in range(5):
        random.Random(seed).shuffle(images)
        found.append(rows_of(*images))
    assert all(each == found[0] for each in found)
    assert len(found[0]) == 30
    assert len({row.patient for row in found[0]}) == 10


def test_what_is_held_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MOST", 30)
    sample = Sample()
    most = 0
    for index in range(300):
        sample += next(measured(placed(index, f"patient {index}")))
        most = max(most, len(sample._rows))
    assert most < 60
