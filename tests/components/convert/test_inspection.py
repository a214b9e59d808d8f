import hashlib
import os

import numpy as np
import pytest

from components.convert import inspection
from components.convert.outcomes import Outcome
from components.convert.screening import appearance
from serving.images.dicom.pseudonyms import BY_TAG
from serving.images.dicom.selection import Selection
from serving.images.dicom.settings import DicomSettings
from serving.images.layout import SourceFile
from serving.images.patient_names import Patient
from serving.images.patients import TABLE
from tests.components.convert.damage import png_of_zeros
from tests.components.convert.folders import fill, source, xray
from tests.dicom_files import dicom
from tests.images import encode, grey_pixels
from tests.serving.images.encoding.samples import FILES
from transform_module.contract import THUMBNAIL_SIDE
from transform_module.images.measures import MEASURES

TAKEN = Selection.of(DicomSettings())


def inspected(folder, name="a.png"):
    return inspection.inspect_file(Outcome(source(name)), folder, TAKEN)


def test_a_good_image_is_described(tmp_path):
    fill(tmp_path, {"a.png": xray(1)})
    found, small = inspected(tmp_path)
    assert small.shape == (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    assert found == Outcome(
        source("a.png"),
        sha256=hashlib.sha256(xray(1)).hexdigest(),
        format="png",
        width=44,
        height=40,
        bits=8,
        colours="grey",
        measures=found.measures,
    )


def test_its_pixels_are_measured(tmp_path):
    fill(tmp_path, {"a.png": xray(1)})
    assert set(inspected(tmp_path)[0].measures) == set(MEASURES)


def test_an_image_of_hardly_any_contrast_is_faint(tmp_path):
    fill(tmp_path, {"a.png": encode(grey_pixels(44, 40, 1) // 8 + 100, "png-grey")})
    assert inspected(tmp_path)[0].findings == (("faint", 0.0),)


def test_an_image_that_shows_nothing_is_refused(tmp_path):
    fill(tmp_path, {"a.png": png_of_zeros(60, 50)})
    found, small = inspected(tmp_path)
    assert found.quarantined == "blank: its grey levels deviate by 0.0 of 255"
    assert small is None


def test_a_refused_file_keeps_its_reason_and_sum(tmp_path):
    fill(tmp_path, {"a.png": b"text"})
    found, _ = inspected(tmp_path)
    assert found.quarantined == "text file"
    assert found.sha256 == hashlib.sha256(b"text").hexdigest()


def test_a_file_that_has_gone_is_not_a_failure(tmp_path):
    found, _ = inspected(tmp_path, "gone.png")
    assert found.quarantined == "cannot be opened: no such file or directory"


@pytest.mark.parametrize(("size", "kept"), [(3, True), (4, False)])
def test_a_file_too_large_for_memory_is_only_summed(tmp_path, monkeypatch, size, kept):
    monkeypatch.setattr(inspection, "MAXIMUM_BYTES", 3)
    fill(tmp_path, {"a.png": b"x" * size})
    data, sha256 = inspection.read_file(tmp_path / "a.png")
    assert data == (b"x" * size if kept else None)
    assert sha256 == hashlib.sha256(b"x" * size).hexdigest()


def test_a_file_too_large_for_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(inspection, "MAXIMUM_BYTES", 2 * 1024**2)
    fill(tmp_path, {"a.png": bytes(2 * 1024**2 + 1)})
    assert inspected(tmp_path)[0].quarantined == "too large: a file of more than 2 MiB"


def test_every_file_is_inspected_whatever_its_name(tmp_path):
    names = [b"a.png", b"caf\xe9.png", b"line\nbreak.png", b"gone.png"]
    for name in names[:3]:
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(xray(1))
    files = [
        Outcome(SourceFile(name, "train", "NORMAL", readable=True), index)
        for index, name in enumerate(names)
    ]
    inspect = inspection.Inspect(tmp_path, "stage", TAKEN)
    *found, looks = inspect.process(files)
    assert [each.quarantined for each in found] == [
        None,
        None,
        None,
        "cannot be opened: no such file or directory",
    ]
    assert looks.value.index.tolist() == [0, 1, 2]
    assert looks.value.labels == ("NORMAL",) * 3
    small = looks.value.thumbnails[1]
    assert looks.value.hashes[1].tobytes() == appearance.perceptual_hash(small)


def test_what_is_known_without_reading_goes_before_what_reading_found(tmp_path):
    fill(tmp_path, {"list.csv": b"text"})
    file = source("list.csv", "", "", problem="outside the class folders")
    inspect = inspection.Inspect(tmp_path, "stage", TAKEN)
    (found,) = inspect.process([Outcome(file)])
    assert found.quarantined == "outside the class folders"
    assert found.sha256 == hashlib.sha256(b"text").hexdigest()


@pytest.mark.parametrize("name", FILES)
def test_an_image_that_is_encoded_anew_is_described_as_its_file(tmp_path, name):
    pixels = grey_pixels(44, 40, 1)
    data = FILES[name](pixels)
    fill(tmp_path, {"a": data, "b": encode(pixels, "png-grey")})
    (found, small), (_, expected) = inspected(tmp_path, "a"), inspected(tmp_path, "b")
    assert found.format == name.split(",")[0]
    assert (found.sha256, found.width) == (hashlib.sha256(data).hexdigest(), 44)
    np.testing.assert_array_equal(small, expected)


def test_a_damaged_file_of_another_format_has_its_reason(tmp_path):
    fill(tmp_path, {"a": FILES["tiff"](grey_pixels(44, 40))[:-60]})
    assert inspected(tmp_path, "a")[0].quarantined == "damaged TIFF"


def test_a_dicom_file_is_described_with_its_patient(tmp_path):
    data = dicom(grey_pixels(44, 40), PatientID="4711", BurnedInAnnotation="YES")
    fill(tmp_path, {"a.dcm": data})
    found, _ = inspected(tmp_path, "a.dcm")
    assert (found.format, found.width, found.height) == ("dicom", 44, 40)
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.owner == Patient(TAKEN.name("4711"), BY_TAG)
    assert ("burned_in", 0.0) in found.findings


@pytest.mark.parametrize(("known_by", "is_kept"), [(TABLE, True), ("names", False)])
def test_the_patient_of_a_table_goes_before_the_tag_and_that_before_names(
    tmp_path, known_by, is_kept
):
    fill(tmp_path, {"a.dcm": dicom(grey_pixels(44, 40), PatientID="4711")})
    outcome = Outcome(source("a.dcm"), owner=Patient("given", known_by))
    found, _ = inspection.inspect_file(outcome, tmp_path, TAKEN)
    assert (found.owner.id == "given") == is_kept


def test_a_lateral_view_is_quarantined(tmp_path):
    fill(tmp_path, {"a.dcm": dicom(grey_pixels(44, 40), ViewPosition="LL")})
    found, small = inspected(tmp_path, "a.dcm")
    assert found.quarantined.startswith("DICOM of the view LATERAL: dataset.dicom.views")
    assert small is None
