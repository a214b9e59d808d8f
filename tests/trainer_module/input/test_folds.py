import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.trainer_module import small
from trainer_module.input import batches, folds
from transform_module.contract import IMAGE_SIZE

PATIENTS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 1)), min_size=8, max_size=120).map(
    lambda rows: [(b"%d" % number, label) for number, label in rows]
)


def assigned(rows, count, seed=7):
    patients = np.array([patient for patient, _ in rows], object)
    labels = np.array([label for _, label in rows])
    try:
        return folds.assign(patients, labels, folds=count, seed=seed)
    except folds.FoldsError:
        assume(False)


@given(PATIENTS, st.integers(2, 5))
def test_no_patient_is_in_two_folds_and_every_fold_has_each_class(rows, count):
    found = assigned(rows, count)
    fold_of = {}
    for (patient, _), fold in zip(rows, found, strict=True):
        assert fold_of.setdefault(patient, fold) == fold
    for label in (0, 1):
        assert {fold for (_, each), fold in zip(rows, found, strict=True) if each == label} == set(
            range(count)
        )


@given(PATIENTS, st.integers(2, 5), st.randoms(use_true_random=False))
def test_the_order_of_the_images_changes_nothing(rows, count, random):
    found = dict(zip([patient for patient, _ in rows], assigned(rows, count), strict=True))
    random.shuffle(rows)
    again = dict(zip([patient for patient, _ in rows], assigned(rows, count), strict=True))
    assert found == again


@given(st.lists(st.integers(1, 9), min_size=20, max_size=60), st.integers(2, 5))
def test_folds_differ_by_no_more_than_one_patient_in_a_class(images, count):
    rows = [
        (b"%d %d" % (label, patient), label)
        for label in (0, 1)
        for patient, number in enumerate(images)
        for _ in range(number)
    ]
    found = assigned(rows, count)
    for label in (0, 1):
        sizes = np.bincount(found[[each == label for _, each in rows]], minlength=count)
        assert np.ptp(sizes) <= max(images)


def test_another_seed_makes_other_folds():
    rows = [(b"%d" % number, number % 2) for number in range(40)]
    assert assigned(rows, 4, seed=1).tolist() != assigned(rows, 4, seed=2).tolist()


def test_too_few_patients_are_reported_with_their_class():
    patients = np.array([b"a", b"b", b"c", b"d", b"d", b"e"], object)
    labels = np.array([0, 0, 0, 1, 1, 1])
    with pytest.raises(folds.FoldsError, match=r"3 folds .* 2 of the patients have PNEUMONIA"):
        folds.assign(patients, labels, folds=3, seed=7)
    assert set(folds.assign(patients, labels, folds=2, seed=7)) == {0, 1}


def test_every_image_is_held_out_once_and_trained_on_in_all_other_folds():
    images = small.images(20)
    held_out = []
    train, evaluation = (images.where(images.labels == label) for label in (0, 1))
    for learnt, fold in folds.split(train, evaluation, folds=3, seed=7):
        assert learnt.count + fold.count == 20
        assert set(learnt.patients).isdisjoint(fold.patients)
        for part in (learnt, fold):
            rows = list(batches.evaluation_batches(part, batch_size=1).as_numpy_iterator())
            assert [int(label[0]) for _, label, _ in rows] == part.labels.tolist()
        held_out += fold.patients.tolist()
    assert sorted(held_out) == sorted(images.patients.tolist())


def test_one_fold_is_the_two_splits():
    train, evaluation = small.images(8), small.images(6)
    assert folds.split(train, evaluation, folds=1, seed=7) == [(train, evaluation)]


def test_the_folds_of_two_splits_together(transformed):
    train, evaluation = (
        batches.read(files, IMAGE_SIZE)
        for files in (transformed.train_files, transformed.eval_files)
    )
    pairs = folds.split(train, evaluation, folds=3, seed=7)
    assert sum(fold.count for _, fold in pairs) == train.count + evaluation.count
    sums = [
        sum(int(pixels.sum()) for pixels, _ in part.dataset.as_numpy_iterator())
        for part in (*(fold for _, fold in pairs), train, evaluation)
    ]
    assert sum(sums[:3]) == sum(sums[3:])
