import pytest
from highdicom.sr import CodedConcept
from highdicom.sr.utils import find_content_items

from serving.model import Prediction
from serving.predict.structured_report.heat_map_capture import capture
from serving.predict.structured_report.measurement_report import report
from tests.serving.predict.structured_report.samples import (
    CANVAS,
    HEAT,
    OBSERVER,
    PREDICTION,
    image,
)


def made(prediction=PREDICTION):
    source = image()
    heat_map = capture(source, CANVAS, HEAT, OBSERVER)
    return report(source, prediction, heat_map, OBSERVER), heat_map


def items(document):
    """Values by the meanings of their names."""
    found = {}
    for item in find_content_items(document, recursive=True):
        if item.ValueType not in ("CONTAINER", "IMAGE"):
            value = item.value
            value = value.meaning if isinstance(value, CodedConcept) else value
            found.setdefault(item.name.meaning, []).append(value)
    return found


def test_every_value_of_the_prediction_is_an_item():
    found = items(made()[0])
    assert found["Probability of pneumonia"] == [pytest.approx(0.123456789, abs=1e-12)]
    assert found["Distance from the training data"] == [1.25]
    assert found["Pneumonia"] == ["Absent"]
    assert found["Triage"] == ["To be reviewed"]
    assert found["Image resembles the training data"] == ["Yes"]


def test_a_probability_has_no_unit_and_keeps_its_digits():
    document, _ = made(Prediction(1.2345678e-7, "NORMAL", True))
    (measurement,) = find_content_items(document, value_type="NUM", recursive=True)
    assert measurement.value == pytest.approx(1.2345678e-7, rel=1e-7)
    assert (measurement.unit.value, measurement.unit.scheme_designator) == ("1", "UCUM")


def test_other_values_have_other_items():
    found = items(made(Prediction(0.9, "PNEUMONIA", True, False, 3.0, "PNEUMONIA"))[0])
    assert found["Pneumonia"] == ["Present"]
    assert found["Triage"] == ["Pneumonia at the allowed error rate"]
    assert found["Image resembles the training data"] == ["No"]


def test_what_an_earlier_model_does_not_predict_has_no_item():
    found = items(made(Prediction(0.9, "PNEUMONIA", True))[0])
    assert found["Pneumonia"] == ["Present"]
    assert not {name for name in found if "Triage" in name or "training" in name}


def test_the_model_is_the_observing_device_and_the_algorithm():
    found = items(made()[0])
    assert found["Observer Type"] == ["Device"]
    assert found["Device Observer UID"] == [OBSERVER.uid]
    assert found["Device Observer Name"] == ["chest_xray/17"]
    assert found["Device Observer Serial Number"] == ["ab" * 32]
    assert found["Algorithm Name"] == ["chest_xray"]
    assert found["Algorithm Version"] == ["17"]
    assert found["Algorithm Family"] == ["Artificial Intelligence"]
    assert found["Algorithm Parameters"] == [
        f"SHA-256 of the manifest's files: {'ab' * 32}",
        "Probability from which pneumonia is present: 0.25",
    ]


def test_it_refers_to_the_image_and_to_the_heat_map():
    document, heat_map = made()
    assert set(document.get_evidence()) == {
        ("1.2.3", "1.2.3.4", "1.2.3.4.5", image().SOPClassUID),
        (
            "1.2.3",
            heat_map.SeriesInstanceUID,
            heat_map.SOPInstanceUID,
            heat_map.SOPClassUID,
        ),
    }
    images = find_content_items(document, value_type="IMAGE", recursive=True)
    assert [(each.name.meaning, each.referenced_sop_instance_uid) for each in images] == [
        ("Source of Measurement", "1.2.3.4.5"),
        ("Saliency", heat_map.SOPInstanceUID),
    ]


def test_a_viewer_shows_that_it_is_not_for_diagnosis():
    document, _ = made()
    assert document.SeriesDescription == "NOT FOR DIAGNOSIS: prediction of a model"
    assert items(document)["Comment"][0].startswith("NOT FOR DIAGNOSIS. ")
    assert document.ContentQualification == "RESEARCH"
    assert (document.PreliminaryFlag, document.VerificationFlag) == ("PRELIMINARY", "UNVERIFIED")


def test_no_two_are_of_one_uid():
    (first, first_map), (second, second_map) = made(), made()
    uids = {
        uid
        for each in (first, first_map, second, second_map)
        for uid in (each.SOPInstanceUID, each.SeriesInstanceUID)
    }
    assert len(uids) == 8
