import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer_module import small
from trainer_module.input import batches as data
from trainer_module.settings.augmentation import AugmentationSettings
from transform_module.contract import IMAGE_SIZE

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
    return data.read(transformed.train_files, IMAGE_SIZE)


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
        np.testing.assert_array_equal(weights[:, 0], np.where(labels == 0, 1.5, 0))
        np.testing.assert_array_equal(weights[:, 1], np.where(labels == 1, 0.75, 0))


def test_what_augments_is_traced_once_for_all_epochs(train, monkeypatch):
    traced = []

    def counted(*arguments):
        traced.append(arguments)
        return augment(*arguments)

    augment = data.augment
    monkeypatch.setattr(data, "augment", counted)
    # No other test has this seed: nothing of it is traced yet.
    first, second = (batches(train, epoch=epoch, seed=1_234_567) for epoch in range(2))
    assert len(traced) == 1
    assert not np.array_equal(first[0][0], second[0][0])


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


def test_each_label_of_a_mixture_counts_by_its_share_and_its_own_weight(train):
    mixed = batches(train, batch_size=48, augmentation=STILL.model_copy(update={"mixup": 1.0}))
    ((pixels, labels, weights),) = mixed
    ((plain, plain_labels, _),) = batches(train, batch_size=48, augmentation=STILL)
    soft = (labels > 0) & (labels < 1)
    assert 5 < soft.sum() < 40
    np.testing.assert_array_equal(labels.round(), plain_labels)
    np.testing.assert_allclose(weights[:, 0], 1.5 * (1 - labels), atol=1e-5)
    np.testing.assert_allclose(weights[:, 1], 0.75 * labels, atol=1e-5)
    assert not np.allclose(pixels, plain, atol=0.05)


@pytest.mark.parametrize(("balance", "rare"), [("none", 16), ("sampling", 24)])
def test_the_rare_class_is_seen_as_often_as_it_is_or_as_the_other(train, balance, rare):
    # TensorFlow's seed of the process, which tests before this one may have set.
    tf.random.set_seed(1)
    ((pixels, labels, weights),) = batches(train, batch_size=48, balance=balance)
    assert (weights.sum(axis=1) == 1).all()
    assert (labels == 0).sum() == pytest.approx(rare, abs=6 if balance == "sampling" else 0)
    ((again, *_),) = batches(train, batch_size=48, balance=balance)
    np.testing.assert_array_equal(again, pixels)


def test_a_class_without_images_is_not_sampled():
    full = small.images(8)
    only = full.where(full.labels == 1)
    ((_, labels, _),) = batches(only, batch_size=4, balance="sampling")
    assert labels.tolist() == [1] * 4


def test_epochs_differ_and_repeat(train):
    labels = [np.concatenate([row[1] for row in batches(train, epoch)]) for epoch in (0, 1, 0)]
    assert not np.array_equal(labels[0], labels[1])
    np.testing.assert_array_equal(labels[0], labels[2])


def test_the_same_image_is_augmented_otherwise_in_each_epoch():
    one = small.images(1)
    first, second = (
        batches(one, epoch, batch_size=1, augmentation=AugmentationSettings(zoom=0.3))[0][0]
        for epoch in (0, 1)
    )
    assert np.abs(first - second).mean() > 0.01


def test_no_two_trainings_share_an_order(train):
    """Not even the next seed's, an epoch before: members of an ensemble have such seeds."""
    orders = {
        np.concatenate([row[1] for row in batches(train, epoch, seed=seed)]).tobytes()
        for seed in (7, 8, 9)
        for epoch in (0, 1, 2)
    }
    assert len(orders) == 9


SHARES = [(1, 2), (2, 2), (3, 3), (2, 4)]
"""Input pipelines, and replicas of all of them: also two in one process, and two in each."""


def shares(pipelines, replicas):
    return [tf.distribute.InputContext(pipelines, index, replicas) for index in range(pipelines)]


@pytest.mark.parametrize(("pipelines", "replicas"), SHARES)
def test_the_workers_take_what_one_takes_in_a_batch_of_all_theirs(train, pipelines, replicas):
    record = {
        "epoch": 1,
        "seed": 7,
        "augmentation": EVERYTHING.model_copy(update={"jpeg_quality": 0, "blur": 0}),
        "balance": "class_weights",
    }
    # Neither 2, 3 nor 4 times 5 divides 48.
    whole = list(data.training_batches(train, 5 * replicas, **record).as_numpy_iterator())
    parts = [
        list(data.training_batches(train, 5, share, **record).as_numpy_iterator())
        for share in shares(pipelines, replicas)
    ]
    assert_joined(parts, whole, steps=48 // (5 * replicas), replicas=replicas)


@pytest.mark.parametrize(("pipelines", "replicas"), SHARES)
@pytest.mark.parametrize("count", [1, 19, 24])
def test_the_workers_evaluate_what_one_evaluates(pipelines, replicas, count):
    images = small.images(count)
    whole = list(data.evaluation_batches(images, 4 * replicas).as_numpy_iterator())
    parts = [
        list(data.evaluation_batches(images, 4, share).as_numpy_iterator())
        for share in shares(pipelines, replicas)
    ]
    assert_joined(parts, whole, steps=-(-count // (4 * replicas)), replicas=replicas)
    assert sum(row[2].sum() for rows in parts for row in rows) == count


def assert_joined(parts, whole, *, steps, replicas):
    """Each pipeline has as many batches; joined step by step, they are the whole's."""
    own = replicas // len(parts)
    assert [len(rows) for rows in parts] == [own * steps] * len(parts)
    assert len(whole) == steps
    for step, expected in enumerate(whole):
        joined = [row for rows in parts for row in rows[own * step : own * (step + 1)]]
        for mine, its in zip(zip(*joined, strict=True), expected, strict=True):
            np.testing.assert_allclose(np.concatenate(mine), its, atol=1e-5)


def test_a_worker_decodes_its_own_share_and_nothing_else(transformed):
    encoded = data.read(transformed.eval_files, IMAGE_SIZE, decode=False)
    assert encoded.dataset.element_spec[0].dtype == tf.string
    broken = encoded.dataset.enumerate().map(
        lambda index, row: (tf.where(index % 8 < 4, row[0], b"broken"), row[1])
    )
    images = dataclasses.replace(encoded, dataset=broken)
    first, second = shares(2, 2)
    kept = list(data.evaluation_batches(images, 4, first).as_numpy_iterator())
    decoded = data.read(transformed.eval_files, IMAGE_SIZE)
    for mine, its in zip(kept, data.evaluation_batches(decoded, 4, first), strict=True):
        np.testing.assert_array_equal(mine[0], its[0])
    with pytest.raises(tf.errors.InvalidArgumentError):
        list(data.evaluation_batches(images, 4, second))


@pytest.mark.parametrize(("batch_size", "replicas"), [(8, 1), (8, 2), (7, 3), (19, 1), (64, 2)])
def test_evaluation_sees_each_image_once(transformed, batch_size, replicas):
    images = data.read(transformed.eval_files, IMAGE_SIZE)
    share = tf.distribute.InputContext(num_replicas_in_sync=replicas)
    rows = list(data.evaluation_batches(images, batch_size, share).as_numpy_iterator())
    weights = np.concatenate([row[2] for row in rows])
    assert len(rows) % replicas == 0
    assert {len(row[2]) for row in rows} == {batch_size}
    assert weights.sum() == images.count == 19
