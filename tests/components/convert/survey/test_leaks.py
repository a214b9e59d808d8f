import pytest

from components.convert.outcomes import Outcome
from components.convert.survey import leaks
from components.convert.tally import Tally
from serving.images.dataset import Leak
from serving.images.patient_names import Patient
from tests.components.convert.folders import source


def image(folder, patient="anna", is_patient=True, **known):
    owner = Patient(patient, "the table", is_patient=is_patient)
    return Outcome(source(f"{folder}/NORMAL/a.png", folder, "NORMAL"), 0, owner, **known)


def leaks_of(*images):
    return leaks.leaks(Tally(leaks.of_patients(images)))


def test_a_patient_in_two_folders_is_found_with_the_images_outside_test():
    found = leaks_of(image("train"), image("train"), image("test"), image("test", "bob"))
    assert found == (Leak(kind="patients", folders="train, test", groups=1, images=2),)


def test_between_train_and_val_all_images_count():
    assert leaks_of(image("val"), image("train")) == (
        Leak(kind="patients", folders="train, val", groups=1, images=2),
    )


@pytest.mark.parametrize(
    "images",
    [
        [image("train"), image("train")],
        [image(""), image("")],
        [image("train"), image("test", "bob")],
        [image("train"), image("test", quarantined="text file")],
        [image("train", is_patient=False), image("test", is_patient=False)],
    ],
)
def test_others_are_none(images):
    assert leaks_of(*images) == ()


def test_an_image_whose_patient_nobody_knows_is_of_none():
    unknown = [Outcome(source(f"{folder}/a.png", folder)) for folder in ("train", "test")]
    assert leaks_of(*unknown) == ()


def test_patients_are_counted_one_by_one():
    tally = Tally()
    for patient in "abc":
        tally += Tally(leaks.of_patients([image("train", patient), image("test", patient)]))
    (found,) = leaks.leaks(tally)
    assert (found.groups, found.images) == (3, 3)
