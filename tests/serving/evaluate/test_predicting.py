import hashlib

import numpy as np
import pytest

from serving.evaluate import predicting
from serving.evaluate.labelled import find
from serving.images.settings import DatasetSettings
from serving.model import Model, Prediction
from tests.images import encode, grey_pixels
from tests.serving.evaluate.samples import grey
from tests.serving.images.encoding.samples import FILES


@pytest.fixture(scope="module")
def model(version):
    return Model(version)


def seen(images):
    return np.stack([np.full((160, 160, 1), 20 + index, np.uint8) for index in range(len(images))])


def predict_labelled(predictor, labelled, **record):
    return predicting.predict_labelled(predictor, labelled, pixels_of=seen, **record)


def found(images):
    return find(images, DatasetSettings()).images


def test_every_image_becomes_a_row_in_its_order(model, images):
    labelled = found(images)
    result = predict_labelled(model.predict, labelled)
    predicted = result.predicted
    assert predicted.path.tolist() == [each.name for each in labelled]
    assert predicted.label.tolist() == [False] * 4 + [True] * 4
    assert predicted.probability[:2] == pytest.approx([20 / 255, 30 / 255])
    assert predicted.width.tolist() == [40] * 8
    assert predicted.brightness.tolist() == [20 + index for index in range(8)]
    assert set(predicted.mode) == {"L"}
    assert predicted.bytes[0] == len(grey(20))
    assert result.reasons == [""] * 8
    assert {each.other_valid for each in result.images} == {None}


def test_an_image_of_an_unknown_patient_is_one_of_its_own_and_its_copies_are_the_same(
    model, images
):
    (images / "NORMAL" / "y.png").write_bytes(grey(140))
    (images / "NORMAL" / "z.png").write_bytes(grey(141))
    predicted = predict_labelled(model.predict, found(images)).predicted
    patient = dict(zip(predicted.path, predicted.patient, strict=True))
    x, y, z = (patient[f"NORMAL/{name}.png"] for name in "xyz")
    assert x == y != z
    assert patient["PNEUMONIA/person1_virus_1.png"] == "virus-1"


def test_a_broken_image_is_reported_and_does_not_touch_the_others(model, images):
    (images / "NORMAL" / "a.png").write_bytes(b"text")
    (images / "NORMAL" / "link.png").symlink_to("nowhere")
    result = predict_labelled(model.predict, found(images))
    reasons = dict(zip(result.predicted.path, result.reasons, strict=True))
    assert "text file" in reasons["NORMAL/a.png"]
    assert reasons["NORMAL/link.png"] == "link that leads nowhere"
    assert result.predicted.valid.sum() == 8
    assert np.isnan(result.predicted.brightness).sum() == 2


def test_another_model_predicts_the_same(model, images):
    def predictor(images):
        return [Prediction(0.25, "NORMAL", content != grey(20)) for content in images]

    rows = predict_labelled(model.predict, found(images), other_predictor=predictor).images
    assert [each.other_valid for each in rows] == [False] + [True] * 7
    assert [each.other_probability for each in rows] == [0.5] + [0.25] * 7


def test_progress_is_reported(model, images):
    record = []
    predict_labelled(model.predict, found(images), progress=lambda *counts: record.append(counts))
    assert record[-1] == (8, 8)


def test_other_columns_are_kept(model, images):
    from serving.evaluate.labels_table import read

    table = images / "labels.csv"
    table.write_text("path,label,site\nNORMAL/x.png,0,Rome\nPNEUMONIA/person1_virus_1.png,1,Oslo\n")
    predicted = predict_labelled(model.predict, read(table, ["site"]).images).predicted
    assert predicted.others["site"].tolist() == ["Rome", "Oslo"]


def test_a_model_that_shows_its_domain_is_heard(model, images):
    (images / "NORMAL" / "a.png").write_bytes(b"text")

    def predictor(images):
        return [
            Prediction(0.25, "NORMAL", True, content != grey(20), 1.0, "REVIEW")
            for content in images
        ]

    predicted = predict_labelled(predictor, found(images)).predicted
    flagged = predicted.path[predicted.valid & ~predicted.in_domain]
    assert flagged.tolist() == ["NORMAL/IM-0001-0001.png"]
    assert set(predicted.triage[predicted.valid].tolist()) == {"REVIEW"}
    assert predict_labelled(model.predict, found(images)).predicted.in_domain is None


def test_of_an_image_that_is_encoded_anew_the_file_is_known(model, images):
    data = FILES["tiff"](grey_pixels(44, 40))
    (images / "NORMAL" / "a.tif").write_bytes(data)
    (images / "NORMAL" / "a.png").write_bytes(encode(grey_pixels(44, 40), "png-grey"))
    result = predict_labelled(model.predict, found(images))
    rows = {row.path: row for row in result.images}
    tiff, png = rows["NORMAL/a.tif"], rows["NORMAL/a.png"]
    assert (tiff.valid, tiff.probability) == (True, png.probability)
    assert (tiff.bytes, tiff.sha256) == (len(data), hashlib.sha256(data).hexdigest())
