import pickle

from components.convert.outcomes import Outcome
from serving.images.patient_names import Patient
from tests.components.convert.folders import source


def test_every_file_has_one_place():
    file = source("train/NORMAL/a_1", "train", "NORMAL")
    skipped = source("train/NORMAL/.DS_Store", "train", "NORMAL", skipped="system file")
    outcomes = [
        Outcome(file, split="eval"),
        Outcome(file, quarantined="text file"),
        Outcome(file),
        Outcome(skipped),
    ]
    assert [each.place for each in outcomes] == ["eval", "quarantined", "dropped", "skipped"]
    assert [each.is_valid for each in outcomes] == [True, False, True, False]


def test_what_is_not_a_file_or_is_skipped_is_not_read():
    assert Outcome(source("a.png")).is_to_be_read
    assert not Outcome(source("a.png", skipped="thumbnail")).is_to_be_read
    assert not Outcome(source("pipe", readable=False, problem="a pipe")).is_to_be_read


def test_the_subtype_is_that_of_the_name():
    assert Outcome(source("x/person1_virus_2.png")).subtype == "virus"
    assert Outcome(source("x/person1_virus_2.png", label="NORMAL")).subtype == "normal"


def test_an_outcome_survives_its_way_between_workers():
    outcome = Outcome(
        source("train/NORMAL/a", "train", "NORMAL", size=7),
        3,
        Patient("anna", "the table"),
        "ab",
        "png",
        40,
        50,
        findings=(("turned", 0.0),),
        measures={"contrast": 1.0},
        split="eval",
    )
    assert pickle.loads(pickle.dumps(outcome)) == outcome
