import numpy as np

from components.convert.inspection import Looks
from components.convert.screening.typical import Centres, ends, examples
from components.convert.tally import EXAMPLES, Tally
from tests.images import grey_pixels


def looks(number, odd=(), start=0, label="NORMAL"):
    """Variations of one image, and others at some indices."""
    generator = np.random.default_rng(start + len(label))
    common = grey_pixels(32, 32, len(label)).astype(int)
    noise = generator.normal(0, 2 + np.arange(number)[:, np.newaxis, np.newaxis], (number, 32, 32))
    thumbnails = np.clip(common + noise, 0, 255).astype(np.uint8)
    for index in odd:
        thumbnails[index] = grey_pixels(32, 32, 100 + index)
    return Looks(
        np.arange(start, start + number, dtype=np.int64),
        (label,) * number,
        np.zeros((number, 32), np.uint8),
        thumbnails,
    )


def found_in(*parts):
    centres = sum(map(Centres.of, parts), Centres.nothing())
    tally = Tally()
    for part in parts:
        tally += ends(part, centres)
    return examples(tally)


def of(kind, found):
    return {index for index, (each, _) in found.items() if each == kind}


def test_those_nearest_to_and_furthest_from_the_mean_are_found():
    found = found_in(looks(40, odd=(3, 17)))
    assert of("odd", found) > {3, 17}
    assert len(of("odd", found)) == len(of("typical", found)) == EXAMPLES
    # The noise grows with the index.
    assert max(of("typical", found)) < 15


def test_parts_may_come_in_any_order():
    parts = [looks(40, odd=(1,)), looks(40, start=40), looks(30, start=80, label="PNEUMONIA")]
    assert found_in(*parts) == found_in(*reversed(parts))


def test_of_the_ends_of_all_parts_the_outermost_are_kept():
    found = found_in(looks(40, odd=(3, 17)), looks(40, odd=(8,), start=40), looks(40, start=80))
    assert of("odd", found) > {3, 17, 48}
    assert len(of("odd", found)) == EXAMPLES


def test_each_class_has_its_own():
    found = found_in(looks(40), looks(40, start=40, label="PNEUMONIA"))
    assert sum(index < 40 for index in of("typical", found)) == EXAMPLES
    assert len(of("typical", found)) == 2 * EXAMPLES


def test_of_few_images_none_is_at_both_ends():
    found = found_in(looks(7))
    assert len(of("typical", found)) == EXAMPLES
    assert len(of("odd", found)) == 2
    assert len(found_in(looks(1))) == 1
