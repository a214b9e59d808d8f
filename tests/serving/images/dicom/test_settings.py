import pytest
from pydantic import ValidationError

from serving.images.dicom.settings import DicomSettings
from serving.images.settings import DatasetSettings


def test_a_dataset_has_them():
    settings = DatasetSettings.model_validate({"dicom": {"views": ["PA"], "unknown": "quarantine"}})
    assert settings.dicom == DicomSettings(views=("PA",), unknown="quarantine")


@pytest.mark.parametrize(
    ("name", "value", "near"),
    [("views", "LATERALL", "LATERAL"), ("modalities", "DR", "CR"), ("body_parts", "CHST", "CHEST")],
)
def test_a_value_that_is_not_known_is_refused(name, value, near):
    with pytest.raises(ValidationError, match=f"not known.*{near}"):
        DicomSettings(**{name: (value,)})
