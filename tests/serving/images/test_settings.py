import pytest
from pydantic import ValidationError

from serving.images.settings import DatasetSettings


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"patient_pattern": "p[0-9+"}, "not a regular expression: .*Received: 'p\\[0-9"),
        ({"patient_pattern": "p[0-9]+"}, "needs a group that holds the patient's id"),
        ({"max_bad": 1.1}, "max_bad"),
        ({"max_bad": -0.1}, "max_bad"),
        ({"shards": 0}, "shards"),
        ({"hold_out": "brightness=dim"}, "brightness=low"),
        ({"shard": 4}, "shard\n  Extra inputs are not permitted"),
    ],
)
def test_impossible_values_are_named(values, said):
    with pytest.raises(ValidationError, match=said):
        DatasetSettings(**values)


def test_the_defaults_are_those_of_the_documentation():
    assert DatasetSettings().model_dump() == {
        "classes": {},
        "labels": None,
        "layout": None,
        "uncertain": "drop",
        "lateral": "drop",
        "patient_pattern": None,
        "patients": None,
        "unlisted_patients": "refuse",
        "max_bad": 0.10,
        "hold_out": None,
        "shards": 4,
        "dicom": {
            "modalities": ("CR", "DX", "RG", "SC", "OT"),
            "body_parts": ("CHEST",),
            "views": ("PA", "AP", "FRONTAL"),
            "unknown": "take",
            "patient_key": None,
        },
    }


def test_settings_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        DatasetSettings().shards = 5


def test_the_names_of_classes_are_texts_however_yaml_reads_them():
    settings = DatasetSettings(classes={"normal": [0, False, "No Finding"], "PNEUMONIA": 1.0})
    assert settings.classes == {
        "NORMAL": ("0", "false", "no", "No Finding"),
        "PNEUMONIA": ("1.0",),
    }


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({"SICK": ["1"]}, "the keys are NORMAL, PNEUMONIA, LEFT_OUT. Received: 'SICK'"),
        ({"NORMAL": ["1"], "PNEUMONIA": [1.0]}, "'1.0' is under NORMAL and under PNEUMONIA"),
        (["NORMAL"], "valid dictionary"),
    ],
)
def test_names_of_classes_that_cannot_be_are_refused(classes, message):
    with pytest.raises(ValidationError, match=message):
        DatasetSettings(classes=classes)
