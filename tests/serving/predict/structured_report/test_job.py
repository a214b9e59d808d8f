import os

import highdicom as hd
import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from serving.explain.job import explain
from serving.predict.files import FilePrediction, predict
from serving.predict.structured_report import job
from serving.predict.structured_report.job import predict_with_reports
from serving.predict.structured_report.observer import find
from tests.images import encode
from tests.serving.predict.structured_report.samples import dicom, errors
from tests.serving.saved import save_explaining, write_manifest
from transform_module.errors import UserError


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A version that explains: every image is hot at the right."""
    return write_manifest(save_explaining(tmp_path_factory.mktemp("explaining") / "17"))


def shades(value):
    """Pixels of which half are black, so that the mean is half the value."""
    pixels = np.full((40, 60), value, np.uint8)
    pixels[:, ::2] = 0
    return pixels


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    (folder / "b").mkdir(parents=True)
    (folder / "a.dcm").write_bytes(dicom(shades(255)))
    (folder / "b" / "A.DCM").write_bytes(dicom(shades(51), SOPInstanceUID="1.2.3.4.6"))
    (folder / "b" / "c.png").write_bytes(encode(shades(51), "png-grey"))
    (folder / "b" / "notes.txt").write_text("some text\n" * 9)
    (folder / "d.dcm").write_bytes(dicom(shades(204), StudyInstanceUID=None))
    (folder / "e.dcm").write_bytes(dicom(StudyInstanceUID=None))
    return folder


def test_each_dicom_file_gets_two_files_and_the_others_a_reason(model, images, tmp_path):
    out = tmp_path / "new" / "out"
    steps = []
    predictions = predict_with_reports(
        model.parent, [images], out, progress=lambda *at: steps.append(at)
    )
    found = {
        os.path.relpath(each.path, images): (each.label, each.report, each.heat_map, each.no_report)
        for each in predictions
    }
    reason = "the DICOM header has no StudyInstanceUID, by which a report refers to the image"
    assert found == {
        "a.dcm": ("PNEUMONIA", f"{out}/a.sr.dcm", f"{out}/a.heatmap.dcm", ""),
        "d.dcm": ("NORMAL", "", "", reason),
        "e.dcm": ("INVALID", "", "", "not a readable image"),
        "b/A.DCM": ("NORMAL", f"{out}/A-2.sr.dcm", f"{out}/A-2.heatmap.dcm", ""),
        "b/c.png": ("NORMAL", "", "", "not a DICOM file"),
        "b/notes.txt": ("INVALID", "", "", "not a DICOM file"),
    }
    assert predictions[2].reason == "DICOM without an image"
    assert {each.name for each in out.iterdir()} == {
        *("a.sr.dcm", "a.heatmap.dcm", "A-2.sr.dcm", "A-2.heatmap.dcm"),
    }
    assert steps[-1] == (6, 6)


def test_a_report_holds_what_is_predicted(model, images, tmp_path):
    predicted, *_ = predict_with_reports(model, images, tmp_path / "out")
    read = hd.sr.srread(predicted.report)
    (group,) = read.content.get_image_measurement_groups()
    values = [each.value for each in group.get_measurements()]
    assert values == [
        pytest.approx(predicted.probability, rel=1e-9),
        pytest.approx(predicted.domain_distance, rel=1e-9),
    ]
    assert predicted.probability == pytest.approx(0.5, abs=1e-6)
    observer = find(model, {})
    assert read.DeviceSerialNumber == observer.digest
    assert group.source_images[0].referenced_sop_instance_uid == "1.2.3.4.5"


def test_the_heat_map_is_that_of_explain(model, images, tmp_path):
    (predicted,) = predict_with_reports(model, images / "a.dcm", tmp_path / "out")
    (tmp_path / "a.png").write_bytes(encode(shades(255), "png-grey"))
    (explained,) = explain(model, [tmp_path / "a.png"], tmp_path / "explained")
    expected = np.asarray(Image.open(explained.overlay))
    heat_map = dcmread(predicted.heat_map)
    margin = (heat_map.Columns - expected.shape[1]) // 2
    pixels = heat_map.pixel_array[:40, margin : margin + 60]
    assert (pixels == expected).all()


def test_the_files_are_valid(model, images, tmp_path):
    (predicted,) = predict_with_reports(model, images / "a.dcm", tmp_path / "out")
    for path in (predicted.report, predicted.heat_map):
        with open(path, "rb") as file:
            assert errors(file.read(), tmp_path) == []


def test_other_files_are_predicted_as_without_reports(model, images, tmp_path):
    def plain(each):
        return FilePrediction(**{name: getattr(each, name) for name in vars(each) if name in known})

    known = FilePrediction.__dataclass_fields__
    folder = images / "b"
    Image.fromarray(shades(51)).save(folder / "c.tif")
    reported = predict_with_reports(model, folder, tmp_path / "out")
    assert [plain(each) for each in reported] == predict(model, folder)


def test_a_second_call_replaces_the_files_by_others(model, images, tmp_path):
    def uids():
        (predicted,) = predict_with_reports(model, images / "a.dcm", tmp_path / "out")
        return {dcmread(path).SOPInstanceUID for path in (predicted.report, predicted.heat_map)}

    assert len(uids() | uids()) == 4
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_call_that_is_killed_between_two_files_leaves_no_report(
    model, images, tmp_path, monkeypatch
):
    predict_with_reports(model, images / "a.dcm", tmp_path / "out")
    write = job.write_bytes

    def killed(path, content):
        if path.name == "a.sr.dcm":
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(job, "write_bytes", killed)
    with pytest.raises(KeyboardInterrupt):
        predict_with_reports(model, images / "a.dcm", tmp_path / "out")
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["a.heatmap.dcm"]


@pytest.mark.parametrize("name", ["images", "images/reports", "."])
def test_a_folder_that_holds_images_is_refused(model, images, tmp_path, name):
    out = tmp_path / name
    held = out / "x.dcm"
    out.mkdir(exist_ok=True)
    held.write_bytes(dicom(shades(9)))
    with pytest.raises(UserError, match=r"holds .*\.dcm, which a report could replace\. Name a"):
        predict_with_reports(model, [images, held], out)
    assert dcmread(held).PatientID == "A-1"


def test_a_folder_above_the_images_is_not_one_of_them(model, images, tmp_path):
    (predicted,) = predict_with_reports(model, images / "a.dcm", tmp_path)
    assert predicted.report == str(tmp_path / "a.sr.dcm")


def test_a_name_of_numbers_is_kept_and_a_long_one_is_cut(model, tmp_path):
    names = ("1.2.840.5", "1.2.840.6", "é" * 125)
    for name in names:
        (tmp_path / name).write_bytes(dicom(shades(9)))
    predictions = predict_with_reports(model, [tmp_path / name for name in names], tmp_path / "out")
    assert [os.path.basename(each.report) for each in predictions] == [
        "1.2.840.5.sr.dcm",
        "1.2.840.6.sr.dcm",
        f"{'é' * 100}.sr.dcm",
    ]


def test_a_model_that_explains_nothing_is_reported(version, images, tmp_path):
    with pytest.raises(UserError, match="does not explain"):
        predict_with_reports(version, images, tmp_path / "out")


def test_folders_and_files_that_cannot_be_written_are_reported(model, images, tmp_path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(UserError, match=r"file cannot be made: .* Name another folder"):
        predict_with_reports(model, images, tmp_path / "file")
    for name in ("a.heatmap.dcm", "a.sr.dcm"):
        (tmp_path / name / name).mkdir(parents=True)
        with pytest.raises(UserError, match=r"a\.heatmap\.dcm cannot be written: "):
            predict_with_reports(model, images / "a.dcm", tmp_path / name)


def test_a_file_that_is_not_there_gets_no_report(model, tmp_path):
    (predicted,) = predict_with_reports(model, tmp_path / "no.dcm", tmp_path / "out")
    assert (predicted.valid, predicted.no_report) == (False, "not a readable image")


def test_the_patient_is_named_in_the_files_alone(model, tmp_path, caplog, capfd):
    (tmp_path / "x.dcm").write_bytes(dicom(shades(9), PatientName="Dunkel, Heit = x = x = x"))
    caplog.set_level("DEBUG")
    (predicted,) = predict_with_reports(model, tmp_path / "x.dcm", tmp_path / "out")
    assert b"Dunkel" in (tmp_path / "out" / "x.sr.dcm").read_bytes()
    assert "Dunkel" not in str(predicted)
    assert "Dunkel" not in caplog.text
    assert "Dunkel" not in "".join(capfd.readouterr())
