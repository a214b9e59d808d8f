import pytest

from components.artifacts.example_images import contents
from tests.components import tiny
from transform_module import contract
from transform_module.errors import UserError


@pytest.fixture
def examples(tmp_path):
    rows = [
        tiny.example(0, 0.5, **{contract.FILENAME: f"{n}.png", contract.IMAGE: f"image {n}"})
        for n in range(5)
    ]
    tiny.write_split(tmp_path, contract.TEST, rows)
    return tiny.examples_artifact(tmp_path, [contract.TEST])


def test_images_are_found_by_their_names(examples):
    assert contents(examples, ["3.png", "0.png"]) == {"0.png": b"image 0", "3.png": b"image 3"}
    assert contents(examples, []) == {}


def test_images_that_are_not_there_are_counted(examples):
    with pytest.raises(UserError, match=r"^2 of 3 images .* are not in .*Split-test"):
        contents(examples, ["3.png", "a.png", "b.png"])


def test_a_damaged_file_is_reported_without_its_content(examples, tmp_path):
    (file,) = (tmp_path / "Split-test").iterdir()
    file.write_bytes(file.read_bytes()[:-12])
    with pytest.raises(UserError) as raised:
        contents(examples, ["a.png"])
    assert str(raised.value) == (
        f"{file.parent} is damaged. Run again: what is damaged is made anew."
    )
