import numpy as np
import pytest

from components.convert.survey.measured import Sample
from components.convert.survey.survey import shortcuts, spreads, survey, survey_marks
from components.convert.tally import Mark, Tally
from tests.components.convert.survey.test_measured import LOOK, placed, rows_of

GENERATOR = np.random.default_rng(1)


def two_classes(number=40, **of_pneumonia):
    """Images of as many patients of each class; those of PNEUMONIA differ in something."""
    sizes = GENERATOR.integers(500, 1500, 2 * number)
    return [
        placed(
            index,
            f"patient {index}",
            ("NORMAL", "PNEUMONIA")[index % 2],
            **{"size": int(sizes[index])} | (of_pneumonia if index % 2 else {}),
        )
        for index in range(2 * number)
    ]


def by_name(outcomes):
    return {each.name: each for each in shortcuts(rows_of(*outcomes))}


def test_a_quantity_that_says_nothing_is_near_a_half_with_its_interval():
    found = by_name(two_classes())
    assert list(found) == ["file size"]
    assert found["file size"].low < 0.5 < found["file size"].high
    assert not found["file size"].is_strong


@pytest.mark.parametrize(
    ("name", "difference"),
    [
        ("width", {"width": 48}),
        ("aspect ratio", {"width": 48}),
        ("sharpness", {"measures": {**LOOK, "sharpness": 30.0}}),
        ("border brightness", {"measures": {**LOOK, "border": 90.0}}),
        ("format jpeg", {"format": "jpeg"}),
        ("colours RGB", {"colours": "RGB"}),
        ("16 bits", {"bits": 16}),
        ("view AP", {"view": "AP"}),
    ],
)
def test_a_quantity_that_separates_all_images_is_strong(name, difference):
    found = by_name(two_classes(**difference))[name]
    assert found.auc == 1.0
    # 0.025 is this power of 40.
    assert found.low == pytest.approx(0.9119, abs=1e-4)
    assert found.is_strong


def test_of_a_kind_of_file_the_share_is_given_and_of_numbers_the_median():
    images = two_classes(format="jpeg", width=48)
    images[1] = placed(1, "patient 1", "PNEUMONIA")
    found = by_name(images)
    assert (found["format png"].normal, found["format png"].pneumonia) == (1.0, 1 / 40)
    assert (found["width"].normal, found["width"].pneumonia) == (40, 48)
    assert found["format png"].auc < 0.05


def test_too_few_patients_prove_no_separation():
    found = by_name(two_classes(12, width=48))["width"]
    assert (found.auc, found.is_strong) == (1.0, False)


def test_images_of_one_patient_count_little():
    images = [
        placed(index, f"patient {index % 2}", ("NORMAL", "PNEUMONIA")[index % 2], width=40 + index)
        for index in range(80)
    ]
    assert by_name(images)["width"].low is None


def test_the_strongest_comes_first():
    found = shortcuts(rows_of(*two_classes(width=48)))
    assert [each.name for each in found] == ["aspect ratio", "width", "file size"]


def test_one_class_has_no_shortcuts():
    assert shortcuts(rows_of(*(placed(index) for index in range(9)))) == []


def test_sizes_are_spread_over_values_that_there_are():
    rows = rows_of(*(placed(index, f"p{index // 2}", width=40 + index) for index in range(100)))
    found = {each.name: each for each in spreads(rows)}
    width = found["width"]
    assert (width.least, width.low, width.middle, width.high, width.most) == (40, 44, 89, 134, 139)
    assert found["images of a patient"].most == 2
    assert found["file size, KB"].middle == 0.9
    assert found["aspect ratio"].least == 0.8


def surveyed(outcomes, extra=()):
    sample = Sample(rows_of(*outcomes))
    tally = Tally(mark for outcome in outcomes for mark in survey_marks(outcome))
    tally += Tally(extra)
    return survey(tally, sample)


def test_kinds_of_files_are_counted_by_class():
    images = [placed(0), placed(1), placed(2, label="PNEUMONIA", format="jpeg", colours="RGB")]
    found = surveyed([*images, placed(3, split=None)])
    assert [tuple(dict(each).values()) for each in found.kinds] == [
        ("jpeg", "RGB", "8", "", "PNEUMONIA", 1),
        ("png", "grey", "8", "", "NORMAL", 2),
    ]
    assert (found.images, found.measured, found.patients) == (3, 3, 1)


def test_examples_have_the_numbers_of_their_files():
    images = [
        placed(4, example=("typical", 0.1)),
        placed(2, example=("typical", 0.2), split=None),
        placed(7, example=("odd", -0.9)),
        placed(8, example=("odd", -0.5), quarantined="same image under both classes", split=None),
    ]
    extra = [
        Mark(("finding", "unlike"), (-3.0, 5), "five.png"),
        Mark(("reason", "empty file"), (6,), "six.png"),
    ]
    found = surveyed(images, extra)
    assert [(each.kind, each.about, each.number) for each in found.examples] == [
        ("typical", "NORMAL", 5),
        ("typical", "NORMAL", 3),
        ("odd", "NORMAL", 8),
        ("doubtful", "unlike", 6),
        ("quarantined", "empty file", 7),
    ]


def test_nothing_is_surveyed_of_nothing():
    found = surveyed([])
    assert (found.images, found.measured, found.shortcuts, found.spreads) == (0, 0, (), ())
