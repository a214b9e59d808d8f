import numpy as np
import pytest

from tests.trainer_module import small
from trainer_module import data
from trainer_module.augmentation_settings import AugmentationSettings

STILL = AugmentationSettings(zoom=0, shear=0, flip=False)
EVERYTHING = AugmentationSettings(
    rotation=10,
    shift=0.05,
    contrast=0.2,
    brightness=0.1,
    gamma=0.2,
    noise=0.02,
    blur=1.0,
    jpeg_quality=50,
    share=0.5,
    cutout=0.2,
    mixup=0.4,
)


@pytest.fixture(scope="module")
def train(transformed):
    return data.read(transformed.train_files)


def batches(
    train,
    epoch=0,
    batch_size=8,
    seed=7,
    augmentation=AugmentationSettings(),  # noqa: B008
    balance="class_weights",
):
    return list(
        data.training_batches(
            train,
            batch_size=batch_size,
            epoch=epoch,
            seed=seed,
            augmentation=augmentation,
            balance=balance,
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
        np.testing.assert_array_equal(weights, np.where(labels == 0, 1.5, 0.75))


@pytest.mark.parametrize("augmentation", [AugmentationSettings(), EVERYTHING])
def test_an_epoch_is_the_same_whatever_the_batch_size(train, augmentation):
    small, large = (
        [np.concatenate(parts) for parts in zip(*rows, strict=True)]
        for rows in (
            batches(train, batch_size=8, augmentation=augmentation),
            batches(train, batch_size=24, augmentation=augmentation),
        )
    )
    for mine, other in zip(small, large, strict=True):
        # A grey level that is rounded up in one batch and down in the other, then compressed.
        np.testing.assert_allclose(mine, other, atol=0.02)


def test_mixed_pictures_have_mixed_labels_and_weights(train):
    mixed = batches(train, batch_size=48, augmentation=STILL.model_copy(update={"mixup": 1.0}))
    ((pixels, labels, weights),) = mixed
    ((plain, plain_labels, _),) = batches(train, batch_size=48, augmentation=STILL)
    soft = (labels > 0) & (labels < 1)
    assert 5 < soft.sum() < 40
    np.testing.assert_array_equal(labels.round(), plain_labels)
    np.testing.assert_allclose(weights, 1.5 - 0.75 * labels, atol=1e-5)
    assert not np.allclose(pixels, plain, atol=0.05)


@pytest.mark.parametrize(("balance", "rare"), [("none", 16), ("sampling", 24)])
def test_the_rare_class_is_seen_as_often_as_it_is_or_as_the_other(train, balance, rare):
    ((pixels, labels, weights),) = batches(train, batch_size=48, balance=balance)
    assert (weights == 1).all()
    assert (labels == 0).sum() == pytest.approx(rare, abs=6 if balance == "sampling" else 0)
    ((again, *_),) = batches(train, batch_size=48, balance=balance)
    np.testing.assert_array_equal(again, pixels)


def test_a_class_without_pictures_is_not_sampled():
    full = small.pictures(8)
    only = full.where(full.labels == 1)
    ((_, labels, _),) = batches(only, batch_size=4, balance="sampling")
    assert labels.tolist() == [1] * 4


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
