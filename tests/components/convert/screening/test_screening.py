import base64
import hashlib

import numpy as np

from components.convert.screening.appearance import perceptual_hash, thumbnail
from components.convert.screening.screening import EXAMPLES, screen
from tests.components.convert.folders import source
from tests.components.convert.screening.test_likeness import CHESTS
from tests.images import grey_pixels


def inspection(index, pixels, **known):
    small = thumbnail(pixels)
    return {
        "index": index,
        "sha256": hashlib.sha256(pixels.tobytes()).hexdigest(),
        "reason": None,
        "orientation": 1,
        "unused_bits": 0,
        "thumbnail": base64.b64encode(small.tobytes()).decode(),
        "hash": base64.b64encode(perceptual_hash(small)).decode(),
        **known,
    }


def screened(images, labels=None, **known):
    labels = labels or ["NORMAL"] * len(images)
    files = [
        source(f"train/{label}/{index}.png", "train", label) for index, label in enumerate(labels)
    ]
    inspections = [
        inspection(index, pixels, **{name: values[index] for name, values in known.items()})
        for index, pixels in enumerate(images)
    ]
    return screen(files, inspections)


def kinds(screening):
    return {finding.kind: finding for finding in screening.findings}


def test_good_images_stay_as_they_are():
    found = screened([grey_pixels(64, 64, seed) for seed in range(5)])
    assert found.findings == ()
    assert [each["reason"] for each in found.inspections] == [None] * 5
    assert [each["copies"] for each in found.inspections] == [
        each["sha256"] for each in found.inspections
    ]


def test_no_image_at_all_is_not_a_failure():
    assert screen([], []).findings == ()
    bad = {"index": 0, "sha256": "1", "reason": "text file"}
    assert screen([source("train/NORMAL/a", "train", "NORMAL")], [bad]).inspections == [bad]


def test_a_file_with_a_problem_of_its_own_takes_no_part():
    files = [source("a.png", "", "", problem="outside the class folders"), source("NORMAL/b.png")]
    pixels = grey_pixels(64, 64)
    found = screen(files, [inspection(0, pixels), inspection(1, pixels[::2, ::2])])
    assert found.findings == ()
    assert "copies" not in found.inspections[0]


def test_few_inverted_images_are_quarantined():
    images = [*CHESTS[:40], *(255 - CHESTS[40:43])]
    found = screened(images)
    assert [each["reason"] is None for each in found.inspections] == [True] * 40 + [False] * 3
    assert found.inspections[-1]["reason"].startswith("inverted: ")
    assert "inverted" not in kinds(found)


def test_a_class_that_is_inverted_is_said_and_stays():
    images = [*CHESTS[:30], *(255 - CHESTS[30:50])]
    found = screened(images, ["NORMAL"] * 30 + ["PNEUMONIA"] * 20)
    assert {each["reason"] for each in found.inspections} == {None}
    finding = kinds(found)["inverted"]
    assert finding.images == 20
    assert finding.message.startswith("20 of 20 images of PNEUMONIA are inverted")
    assert all("PNEUMONIA" in example for example in finding.examples)


def test_few_images_are_never_quarantined_for_their_polarity():
    found = screened([*CHESTS[:4], 255 - CHESTS[4]])
    assert {each["reason"] for each in found.inspections} == {None}
    assert kinds(found)["inverted"].images == 1


def test_what_is_unlike_is_named_the_farthest_first():
    noise = np.random.default_rng(1).integers(0, 256, (32, 32), dtype=np.uint8)
    found = screened([*CHESTS[:50], noise])
    assert {each["reason"] for each in found.inspections} == {None}
    assert kinds(found)["unlike"].examples[0] == "train/NORMAL/50.png"
    assert len(kinds(found)["unlike"].examples) <= EXAMPLES


def test_copies_are_grouped_and_counted_without_those_of_the_same_bytes():
    first, second = grey_pixels(128, 128, 1), grey_pixels(128, 128, 2)
    found = screened([first, first, second, first[::2, ::2], second])
    shared = [each["copies"] for each in found.inspections]
    assert shared[0] == shared[1] == shared[3]
    assert shared[2] == shared[4] != shared[0]
    finding = kinds(found)["copies"]
    assert finding.images == 2
    assert finding.examples == ("train/NORMAL/0.png", "train/NORMAL/3.png")


def test_the_group_of_copies_does_not_depend_on_their_order():
    images = [grey_pixels(128, 128, 1), grey_pixels(128, 128, 1)[::2, ::2]]
    one, other = screened(images), screened(images[::-1])
    assert {each["copies"] for each in one.inspections} == {
        each["copies"] for each in other.inspections
    }


def test_what_was_corrected_is_counted():
    images = [grey_pixels(64, 64, seed) for seed in range(4)]
    found = kinds(screened(images, orientation=[1, 6, 3, 1], unused_bits=[0, 4, 8, 0]))
    assert found["turned"].images == 2
    assert found["turned"].examples == ("train/NORMAL/1.png", "train/NORMAL/2.png")
    assert found["unused_bits"].message.startswith("2 PNGs use only 8 or 12 of their 16 bits.")


def test_images_of_hardly_any_contrast_are_named():
    images = [grey_pixels(64, 64, seed) for seed in range(3)]
    found = screened([*images[:2], images[2] // 12 + 100])
    assert kinds(found)["faint"].examples == ("train/NORMAL/2.png",)
    assert found.inspections[2]["reason"] is None
