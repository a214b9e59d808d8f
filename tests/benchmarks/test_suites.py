import pytest

from serving.images import decode_check
from serving.images.patient_names import known_patient
from tests.benchmarks.suites import multiplied
from tests.images import encode, grey_pixels

pytestmark = pytest.mark.slow


def test_multiplied_images_differ_in_their_bytes_and_patients_and_still_decode(tmp_path):
    drawn = tmp_path / "drawn" / "train"
    drawn.mkdir(parents=True)
    for name in ("person7_virus_1.jpeg", "person7_virus_2.jpeg", "NORMAL2-IM-0033-0002.jpeg"):
        (drawn / name).write_bytes(encode(grey_pixels(64, 64, seed=len(name)), "jpeg-grey"))
    out = multiplied(tmp_path / "drawn", tmp_path / "out", 3)
    made = sorted((out / "train").iterdir())
    assert len({image.read_bytes() for image in made[:3]}) == 3
    assert len(made) == 9
    assert all(not isinstance(decode_check.check(each.read_bytes()), str) for each in made)
    patients = {known_patient(each.name) for each in made}
    assert len(patients) == 6
    assert not patients & {None, "virus-7", "normal2-0033"}
