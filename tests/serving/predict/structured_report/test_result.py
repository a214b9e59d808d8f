import io
import shutil
import subprocess

import highdicom as hd
import pytest
from pydicom import dcmread
from pydicom.data import get_charset_files

from serving.model import Prediction
from serving.predict.structured_report import referenced_image
from serving.predict.structured_report.result import result
from tests.serving.predict.structured_report.samples import (
    CANVAS,
    HEAT,
    OBSERVER,
    PREDICTION,
    errors,
    files,
    image,
)

PREDICTIONS = {
    "normal": PREDICTION,
    "pneumonia": Prediction(0.9, "PNEUMONIA", True, False, 3.0, "REVIEW"),
    "of an earlier model": Prediction(0.9, "PNEUMONIA", True),
}

SPARSE = dict.fromkeys(
    (
        *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
        *("StudyID", "AccessionNumber", "ReferringPhysicianName", "PatientOrientation"),
    )
)


@pytest.mark.parametrize("prediction", PREDICTIONS.values(), ids=PREDICTIONS)
@pytest.mark.parametrize("tags", [{}, SPARSE], ids=["whole", "sparse"])
def test_both_files_are_valid(tmp_path, prediction, tags):
    made = files(prediction, **tags)
    assert errors(made.report, tmp_path) == []
    assert errors(made.heat_map, tmp_path) == []


@pytest.mark.parametrize("prediction", PREDICTIONS.values(), ids=PREDICTIONS)
def test_a_report_reads_back_with_equal_values(prediction):
    made = files(prediction)
    read = hd.sr.srread(io.BytesIO(made.report))
    assert isinstance(read, hd.sr.ComprehensiveSR)
    assert isinstance(read.content, hd.sr.MeasurementReport)
    (group,) = read.content.get_image_measurement_groups()
    values = {each.name.meaning: each.value for each in group.get_measurements()}
    assert values["Probability of pneumonia"] == pytest.approx(prediction.probability, abs=1e-12)
    assert values.get("Distance from the training data") == prediction.domain_distance
    evaluations = {
        each.name.meaning: each.value.meaning for each in group.get_qualitative_evaluations()
    }
    # highdicom takes each code of a group for one.
    assert evaluations.pop("Algorithm Family") == "Artificial Intelligence"
    expected = {"Pneumonia": "Present" if prediction.probability > 0.5 else "Absent"}
    if prediction.triage:
        expected["Triage"] = "To be reviewed"
        expected["Image resembles the training data"] = "Yes" if prediction.in_domain else "No"
    assert evaluations == expected
    assert group.source_images[0].referenced_sop_instance_uid == "1.2.3.4.5"


def test_the_report_refers_to_the_heat_map_that_lies_beside_it():
    made = files()
    heat_map = dcmread(io.BytesIO(made.heat_map))
    read = hd.sr.srread(io.BytesIO(made.report))
    assert heat_map.SOPInstanceUID in {each[2] for each in read.get_evidence()}
    assert heat_map.StudyInstanceUID == read.StudyInstanceUID == "1.2.3"
    assert heat_map.pixel_array.shape[2] == 3


def test_dcmtk_shows_the_report(tmp_path):
    if not shutil.which("dsrdump"):
        pytest.skip("dsrdump is not installed (Debian's package dcmtk)")
    (tmp_path / "x.dcm").write_bytes(files().report)
    done = subprocess.run(["dsrdump", str(tmp_path / "x.dcm")], capture_output=True, check=True)
    text = done.stdout.decode()
    assert "NOT FOR DIAGNOSIS: prediction of a model" in text
    assert "Doe^Jane" in text
    assert '"Probability of pneumonia")="0.123456789" (1,UCUM,"no units")' in text
    assert '(,,"Pneumonia")=(272519000,SCT,"Absent")' in text
    assert done.stderr == b""


CHARACTER_SETS = [path for path in sorted(get_charset_files("*.dcm")) if "SQEncoding" not in path]


@pytest.mark.parametrize("path", CHARACTER_SETS, ids=lambda path: path.rpartition("/")[2])
def test_a_name_is_kept_in_any_character_set(path):
    with open(path, "rb") as file:
        content = file.read()
    made = result(referenced_image.read(content), PREDICTION, CANVAS, HEAT, OBSERVER)
    expected = dcmread(path, specific_tags=["PatientName"])
    for each in (made.report, made.heat_map):
        read = dcmread(io.BytesIO(each))
        assert read.PatientName == expected.PatientName
        assert read.get("SpecificCharacterSet") == expected.get("SpecificCharacterSet")


def test_values_that_are_not_of_their_form_are_copied_and_not_quoted(caplog, recwarn):
    odd = {
        "PatientName": "Doe, Jane = Doe = Doe = Doe",
        "PatientSex": "unknown",
        "PatientBirthDate": "2.1.1970",
        "StudyDate": "2020-01-02",
        "AccessionNumber": "x" * 40,
        "PatientID": ["A-1", "B-2"],
    }
    caplog.set_level("DEBUG")
    source = image(**odd)
    recwarn.clear()
    made = result(source, PREDICTION, CANVAS, HEAT, OBSERVER)
    assert not caplog.records
    assert not recwarn.list
    for each in (made.report, made.heat_map):
        read = dcmread(io.BytesIO(each))
        assert {name: read[name].value for name in odd} == odd
