import pytest

from components.convert.layout_warnings import layout_warnings
from components.convert.outcomes import Outcome
from serving.images.dataset import PatientsKnown
from tests.components.convert.alone import tallied
from tests.components.convert.folders import source

ALL_KNOWN = PatientsKnown(images=2, known=2, by={"the table": 2})


def used(path, folder="train", label="NORMAL", split="train", **known):
    at = sum(path.encode())
    return Outcome(source(path, folder, label, **known), at, split=split, patient=path)


BOTH = [used("train/NORMAL/a.png"), used("train/PNEUMONIA/a.png", label="PNEUMONIA")]


def warned(*outcomes, known=ALL_KNOWN, notes=()):
    return layout_warnings(tallied(outcomes), known, notes)


def test_an_ordinary_folder_gives_none():
    assert warned(*BOTH) == ()


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("mask or annotation", "Masks or annotations were skipped: 3, such as m0.png, m1.png."),
        ("thumbnail", "Thumbnails were skipped: 3, such as m0.png, m1.png."),
        ("in a trash folder", "Files in trash folders were skipped: 3, such as m0.png, m1.png."),
        ("second copy", "A second copy of the images was skipped: 3, such as m0.png, m1.png."),
    ],
)
def test_images_that_are_skipped_are_said_with_examples(why, words):
    skipped = [Outcome(source(f"m{number}.png", skipped=why)) for number in range(3)]
    assert warned(*BOTH, *skipped) == (words,)


def test_files_of_the_system_and_texts_are_only_counted():
    skipped = [source(".DS_Store", skipped="system file"), source("a", skipped="text or document")]
    assert warned(*BOTH, *map(Outcome, skipped)) == ()


def test_folders_of_doubtful_names_are_said():
    doubtful = used("train/NORMAL/crops/a.png")
    (said,) = warned(*BOTH, doubtful)
    assert said.startswith("Images in folders named crops are taken like any other: 1, such as")


@pytest.mark.parametrize("folder", ["PNEUMONIA", "test"])
def test_a_folder_of_another_class_or_split_in_a_class_is_said(folder):
    (said,) = warned(*BOTH, used(f"train/NORMAL/ward/{folder}/a.png"))
    assert said.startswith(f"Images in folders named {folder} are taken like any other: 1,")


def test_class_folders_beside_those_of_the_splits_are_said():
    (said,) = warned(*BOTH, used("NORMAL/a.png", folder=""))
    assert "beside the folders of the splits" in said
    assert "1, such as NORMAL/a.png" in said


def test_a_class_without_an_image_is_said():
    assert warned(BOTH[0]) == (
        "There is no image of PNEUMONIA at all: no model can learn from this dataset.",
    )


@pytest.mark.parametrize(("normal", "warnings"), [(19, 0), (500, 1)])
def test_a_class_of_few_images_is_said(normal, warnings):
    said = warned(*[used(f"train/NORMAL/{number}.png") for number in range(normal)], BOTH[1])
    assert len(said) == warnings
    if said:
        assert "500 NORMAL and 1 PNEUMONIA, 500 to 1" in said[0]


def test_unknown_patients_are_said():
    known = PatientsKnown(
        images=1200, known=0, by={}, no_patient_in={"names such as those of VinDr-CXR": 1200}
    )
    (said,) = warned(*BOTH, known=known)
    assert said.startswith("1,200 images are taken as of one patient each (names such as those of")
    assert "--patients or --patient-pattern" in said


def test_where_the_class_folders_were_found_is_said():
    found = used("archive/x/train/NORMAL/a.png", depth=4)
    both = [found, used("archive/x/train/PNEUMONIA/a.png", label="PNEUMONIA", depth=4)]
    assert warned(*both) == ("The class folders were found in archive/x.",)


def test_notes_on_the_patients_come_last():
    assert warned(*BOTH, notes=("a note",)) == ("a note",)
