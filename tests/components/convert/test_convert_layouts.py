"""Public datasets in small, converted by the names of their layouts."""

import io

import numpy as np
import pytest
from PIL import Image

from serving.images.settings import DatasetSettings
from tests.components.convert.folders import dataset_of, examples, fill, xray
from tests.dicom_files import dicom
from tests.serving.images.labels.known.miniatures import MINIATURES


def as_dicom(png):
    """A file without the id of a patient, as all that names them is left out."""
    with Image.open(io.BytesIO(png)) as image:
        return dicom(np.asarray(image.convert("L")))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MINIATURES))
def test_a_dataset_is_converted_as_it_is_published(tmp_path, name):
    made = MINIATURES[name]()
    files = made.files(xray)
    in_dicom = {path: as_dicom(files[path]) for path in files if path.endswith((".dcm", ".dicom"))}
    images = fill(tmp_path / "images", files | in_dicom)
    settings = DatasetSettings(layout=name, shards=1)
    dataset = dataset_of(images, tmp_path / "out", settings)
    found = examples(tmp_path / "out")
    assert {
        each["filename"][0].decode(): (
            each["label_name"][0].decode(),
            each["patient_id"][0].decode(),
        )
        for each in found
    } == {path: (label, patient) for path, (label, _, patient) in made.images.items()}
    assert dataset.quarantine_reasons == {}
    assert sum(dataset.skipped_reasons.values()) == len(
        {*made.left_out, *made.unlisted, *made.tables}
    )
    test = {path for path, (_, folder, _) in made.images.items() if folder == "test"}
    if test:
        in_test = {each["filename"][0].decode() for each in found if each["split"] == "test"}
        assert in_test == test
