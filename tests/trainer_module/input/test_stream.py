import itertools

import numpy as np
import pytest
import tensorflow as tf

from trainer_module.input import batches, free_memory, stream
from trainer_module.settings.augmentation import AugmentationSettings

SIZE = 16
STILL = AugmentationSettings(zoom=0, shear=0, flip=False)


def example(number, image):
    feature = {
        "image_xf": tf.train.Feature(bytes_list=tf.train.BytesList(value=[image])),
        "label_xf": tf.train.Feature(int64_list=tf.train.Int64List(value=[int(number % 3 > 0)])),
        "patient_xf": tf.train.Feature(
            bytes_list=tf.train.BytesList(value=[b"%d" % (number // 2)])
        ),
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Six files of 4 to 9 images, each of its own grey level, and one that is no image in each."""
    folder, number, paths = tmp_path_factory.mktemp("examples"), 0, []
    for file in range(6):
        paths.append(str(folder / f"examples-{file}.gz"))
        with tf.io.TFRecordWriter(paths[-1], options="GZIP") as writer:
            for _ in range(4 + file):
                pixels = tf.fill((SIZE, SIZE, 1), tf.constant(number, tf.uint8))
                writer.write(example(number, tf.io.encode_png(pixels).numpy()))
                number += 1
            writer.write(example(0, b""))
    return paths


@pytest.fixture
def streamed(files):
    return batches.read(files, SIZE, in_memory=False)


@pytest.fixture
def held(files):
    return batches.read(files, SIZE)


def levels(pixels):
    """The number of each image of a batch."""
    return np.rint(pixels[:, 0, 0, 0] * 255).astype(int).tolist()


def epoch(images, number=0, *, batch_size=4, share=batches.ALONE, seed=7, balance="none"):
    found = batches.training_batches(
        images,
        batch_size,
        share,
        epoch=number,
        seed=seed,
        augmentation=STILL,
        balance=balance,
    )
    return [levels(pixels) for pixels, *_ in found.as_numpy_iterator()]


def flat(found):
    return list(itertools.chain(*found))


def assert_same(one, other):
    assert one.labels.tolist() == other.labels.tolist()
    assert one.patients.tolist() == other.patients.tolist()
    assert (one.count, one.dropped, one.size) == (other.count, other.dropped, other.size)
    for mine, theirs in zip(one.pixels, other.pixels, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_stream_has_the_images_that_are_held_in_memory(streamed, held):
    assert held.dropped == 6
    assert_same(streamed, held)


def test_a_part_and_a_sum_of_streams_are_those_of_what_is_held(streamed, held):
    first = np.arange(held.count) % 3 == 0
    again = np.arange(first.sum()) % 2 == 0
    assert_same(streamed.where(first).where(again), held.where(first).where(again))
    both = np.arange(held.count + first.sum()) % 5 < 3
    summed = (streamed + streamed.where(first)).where(both)
    assert_same(summed, (held + held.where(first)).where(both))
    assert sorted(flat(epoch(summed, batch_size=1))) == sorted(levels_of(summed))


def levels_of(images):
    return [int(pixels[0, 0, 0]) for pixels in images.pixels]


def test_an_epoch_has_each_image_once_in_an_order_of_its_own(streamed):
    first, second = flat(epoch(streamed, 0, batch_size=1)), flat(epoch(streamed, 1, batch_size=1))
    assert sorted(first) == sorted(second) == list(range(streamed.count))
    assert first != second != sorted(second)


def test_an_epoch_is_the_same_by_the_seed(files, streamed):
    again = batches.read(files, SIZE, in_memory=False)
    assert epoch(streamed, 3) == epoch(again, 3)
    assert epoch(streamed, 3, seed=8) != epoch(again, 3)


@pytest.mark.parametrize("workers", [2, 3, 8])
def test_each_worker_has_as_many_batches_of_its_own_images(streamed, workers):
    shares = [tf.distribute.InputContext(workers, worker, workers) for worker in range(workers)]
    found = [epoch(streamed, share=share, batch_size=1) for share in shares]
    assert {len(each) for each in found} == {streamed.count // workers}
    assert all(
        not set(flat(one)) & set(flat(other)) for one, other in itertools.combinations(found, 2)
    )


def test_a_worker_reads_its_files_alone(streamed, monkeypatch):
    read, share = [], tf.distribute.InputContext(3, 1, 3)
    records = stream.records

    def noted(file):
        tf.py_function(lambda name: read.append(name.numpy().decode()), [file], [])
        return records(file)

    monkeypatch.setattr(stream, "records", noted)
    epoch(streamed, share=share, batch_size=1)
    assert len(set(read)) == 2


def test_classes_are_sampled_alike(streamed):
    labels = np.array([int(number % 3 > 0) for number in range(streamed.count)])
    drawn = [flat(epoch(streamed, number, balance="sampling")) for number in range(8)]
    assert 0.4 < labels[flat(drawn)].mean() < 0.6


def test_the_evaluation_is_that_of_what_is_held(streamed, held):
    for mine, theirs in zip(
        batches.evaluation_batches(streamed, 8), batches.evaluation_batches(held, 8), strict=True
    ):
        for one, other in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("left", [0, 2**40])
def test_what_does_not_fit_into_memory_is_streamed(files, monkeypatch, left):
    monkeypatch.setattr(free_memory, "available", lambda: left)
    read = batches.read_splits(files[:4], files[4:], SIZE)
    assert [images.stream is None for images in read] == [left > 0] * 2
