import numpy as np
import pytest

from trainer_module import data
from trainer_module.settings import AugmentationSettings


@pytest.fixture(scope="module")
def train(transformed):
    return data.read(transformed.train_files)


def batches(train, epoch=0, batch_size=8, seed=7):
    return list(
        data.training_batches(
            train,
            batch_size=batch_size,
            epoch=epoch,
            seed=seed,
            augmentation=AugmentationSettings(),
            class_weights=(2.0, 0.5),
        ).as_numpy_iterator()
    )


def test_drops_and_counts_what_could_not_be_decoded(train):
    assert (train.count, train.class_counts, train.dropped) == (48, (16, 32), 1)


def test_training_batches_are_full_weighed_and_in_range(train):
    for pixels, labels, weights in batches(train):
        assert pixels.shape == (8, 160, 160, 1)
        assert pixels.dtype == np.float32
        assert pixels.min() >= 0
        assert pixels.max() <= 1
        np.testing.assert_array_equal(weights, np.where(labels == 0, 2.0, 0.5))


def test_an_epoch_is_the_same_whatever_the_batch_size(train):
    small = np.concatenate([pixels for pixels, *_ in batches(train, batch_size=8)])
    large = np.concatenate([pixels for pixels, *_ in batches(train, batch_size=24)])
    np.testing.assert_allclose(small, large, atol=1e-6)


def test_epochs_differ_and_repeat(train):
    labels = [np.concatenate([row[1] for row in batches(train, epoch)]) for epoch in (0, 1, 0)]
    assert not np.array_equal(labels[0], labels[1])
    np.testing.assert_array_equal(labels[0], labels[2])


@pytest.mark.parametrize(("batch_size", "multiple_of"), [(8, 1), (8, 2), (7, 3), (19, 1), (64, 2)])
def test_evaluation_sees_each_picture_once(transformed, batch_size, multiple_of):
    pictures = data.read(transformed.eval_files)
    rows = list(
        data.evaluation_batches(
            pictures, batch_size=batch_size, multiple_of=multiple_of
        ).as_numpy_iterator()
    )
    weights = np.concatenate([row[2] for row in rows])
    assert len(rows) % multiple_of == 0
    assert {len(row[2]) for row in rows} == {batch_size}
    assert weights.sum() == pictures.count == 19
