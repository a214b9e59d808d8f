"""Conversion of folders of DICOM files: what is taken, whose it is, and what is never written."""

import gzip
import logging

import numpy as np
import pytest
from pydicom.datadict import DicomDictionary, keyword_for_tag
from pydicom.tag import Tag

from serving.images.dicom.pseudonyms import BY_TAG
from serving.images.dicom.settings import DicomSettings
from serving.images.settings import DatasetSettings
from tests.components.convert.folders import dataset_of, examples, fill
from tests.dicom_files import data_set, dicom, written
from tests.images import grey_pixels
from transform_module.contract import LABELS

SECRET = "Qzxjane"
"""A name that is nowhere else."""

_LABELS = ("NORMAL", "PNEUMONIA") * 4
_TEXTS = {"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"}
_SHOWN_BY = ("PhotometricInterpretation", "VOILUTFunction")


def settings(**changes) -> DatasetSettings:
    return DatasetSettings(max_bad=1.0, shards=1, dicom=DicomSettings(**changes))


def radiograph(seed: int, **tags) -> bytes:
    grey = grey_pixels(60, 56, seed).astype(np.uint16) << 4
    return dicom(grey, 12, **tags)


def of_patients(number: int, images: int = 2) -> dict[str, bytes]:
    """Images of patients of both classes, called so that no name says whose they are."""
    return {
        f"{label}/{seed:04d}.dcm": radiograph(seed, PatientID=f"P{seed // images}")
        for seed, label in enumerate(
            label
            for patient in range(number)
            for label in [("NORMAL", "PNEUMONIA")[patient % 2]] * images
        )
    }


def splits_by_patient(out) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for example in examples(out):
        found.setdefault(example["patient_id"][0].decode(), set()).add(example["split"])
    return found


@pytest.mark.parametrize("keyed", [False, True])
def test_a_patient_of_the_tags_is_in_one_split_and_stays_there(tmp_path, monkeypatch, keyed):
    monkeypatch.setenv("PATIENTS", "0123456789abcdef")
    images = fill(tmp_path / "images", of_patients(12))
    chosen = settings(patient_key="env:PATIENTS" if keyed else None)
    dataset = dataset_of(images, tmp_path / "out", chosen)
    assert dataset.patients.by == {BY_TAG: 24}
    by_patient = splits_by_patient(tmp_path / "out")
    assert len(by_patient) == 12
    assert all(len(splits) == 1 for splits in by_patient.values())
    assert all(name.startswith("dicom-" if keyed else "patient-") for name in by_patient)
    assert any("patient_key" in note for note in dataset.layout_warnings) != keyed
    again = dataset_of(images, tmp_path / "again", chosen)
    assert again.fingerprint == dataset.fingerprint


def test_views_body_parts_and_modalities_are_quarantined(tmp_path):
    files = {
        "NORMAL/1.dcm": radiograph(1, ViewPosition="PA"),
        "NORMAL/2.dcm": radiograph(2, ViewPosition="LL"),
        "NORMAL/3.dcm": radiograph(3, BodyPartExamined="HAND"),
        "PNEUMONIA/4.dcm": radiograph(4, Modality="CT"),
        "PNEUMONIA/5.dcm": radiograph(5, NumberOfFrames=2),
        "PNEUMONIA/6.dcm": radiograph(6, BurnedInAnnotation="YES"),
    }
    dataset = dataset_of(fill(tmp_path / "images", files), tmp_path / "out", settings())
    assert dataset.quarantine_reasons == {
        "DICOM of 2 frames": 1,
        "DICOM of the body part HAND": 1,
        "DICOM of the modality CT": 1,
        "DICOM of the view LATERAL": 1,
    }
    (burned_in,) = [each for each in dataset.findings if each.kind == "burned_in"]
    assert burned_in.examples == ("PNEUMONIA/6.dcm",)


def full_of_names(seed: int) -> bytes:
    """A radiograph with a name in every tag that holds a text."""
    dataset = data_set(grey_pixels(60, 56, seed).astype(np.uint16) << 4, 12)
    for number, (vr, vm, *_) in DicomDictionary.items():
        keyword = keyword_for_tag(number)
        is_text = vr in _TEXTS and vm in ("1", "1-n") and Tag(number).group > 2
        if is_text and keyword and keyword not in _SHOWN_BY and keyword != "SpecificCharacterSet":
            setattr(dataset, keyword, f"{SECRET}{seed}")
    return written(dataset)


@pytest.mark.parametrize("others", [("other",), ()])
def test_no_text_of_a_tag_is_in_any_output(tmp_path, caplog, capfd, others):
    files = {f"{label}/{seed}.dcm": full_of_names(seed) for seed, label in enumerate(_LABELS)}
    files["NORMAL/damaged.dcm"] = full_of_names(99)[:-500]
    assert sum(SECRET.encode() in data for data in files.values()) == len(files)
    number = len(files)
    if not others:
        # A dataset of nothing is refused.
        files |= {f"{label}/good.dcm": radiograph(seed) for seed, label in enumerate(LABELS, 50)}
    images = fill(tmp_path / "images", files)
    # What making them says.
    caplog.clear()
    capfd.readouterr()
    taken = dict.fromkeys(("modalities", "body_parts", "views"), others) if others else {}
    with caplog.at_level(logging.DEBUG):
        dataset = dataset_of(images, tmp_path / "out", settings(**taken))
    quarantined = sum(dataset.quarantine_reasons.values())
    assert quarantined == (1 if others else number)
    printed = capfd.readouterr()
    outputs = {"log": caplog.text.encode(), "printed": (printed.out + printed.err).encode()}
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            outputs[path.name] = gzip.decompress(data) if path.suffix == ".gz" else data
    assert {"dataset.json", "quarantine.csv", "log"} <= set(outputs)
    assert not [name for name, data in outputs.items() if SECRET.encode() in data]


def test_an_image_has_the_probability_of_the_same_pixels_in_a_png(tmp_path):
    import tensorflow as tf

    from serving.images.encoding.encoding import encoded
    from tests.images import png_of_16_bits
    from transform_module.images.image_ops import images_to_png, model_inputs

    grey = np.random.default_rng(0).integers(0, 4096, (300, 280)).astype(np.uint16)
    grey[:40], grey[-40:] = 0, 4095
    pairs = {
        "stored": (dicom(grey, 12), grey),
        "in 16": (dicom(grey, 16), grey),
        "inverted": (dicom(4095 - grey, 12, PhotometricInterpretation="MONOCHROME1"), grey),
        "signed": (dicom((grey.astype(np.int16) - 2048).astype(np.int16), 12), grey),
        "window": (dicom(grey, 12, WindowCenter=2048, WindowWidth=4096), grey),
    }
    images = [image for file, pixels in pairs.values() for image in (encoded(file).image,)]
    images += [png_of_16_bits(pixels) for _, pixels in pairs.values()]
    pixels, valid = model_inputs(images_to_png(tf.constant(images)), 160)
    assert valid.numpy().all()
    # Any model on these pixels: the largest weights that a difference could have.
    weights = np.random.default_rng(1).normal(size=pixels.shape[1:])
    logits = (pixels.numpy() * weights).sum((1, 2, 3))
    probabilities = 1 / (1 + np.exp(-logits))
    through_dicom, through_png = np.split(probabilities, 2)
    assert np.abs(through_dicom - through_png).max() <= 1e-6
