import numpy as np
import pytest

from components.images.settings import DatasetSettings
from serving.evaluate import judging
from serving.evaluate.labelled import find
from serving.model import Answer, Model
from tests.serving.evaluate.samples import grey
from transform_module.settings import TransformSettings


@pytest.fixture(scope="module")
def model(version):
    return Model(version)


def judge(ask, labelled, **told):
    return judging.judge(ask, labelled, transform=TransformSettings(), **told)


def found(pictures):
    return find(pictures, DatasetSettings()).pictures


def test_every_picture_becomes_a_row_in_its_order(model, pictures):
    labelled = found(pictures)
    result = judge(model.answer, labelled)
    judged = result.judged
    assert judged.path.tolist() == [each.name for each in labelled]
    assert judged.label.tolist() == [False] * 4 + [True] * 4
    assert judged.probability[:2] == pytest.approx([20 / 255, 30 / 255])
    assert judged.width.tolist() == [40] * 8
    assert judged.brightness[0] == 20
    assert set(judged.mode) == {"L"}
    assert judged.bytes[0] == len(grey(20))
    assert result.reasons == [""] * 8
    assert result.other is None


def test_a_picture_of_an_unknown_patient_is_one_of_its_own_and_its_copies_are_the_same(
    model, pictures
):
    (pictures / "NORMAL" / "y.png").write_bytes(grey(140))
    (pictures / "NORMAL" / "z.png").write_bytes(grey(141))
    judged = judge(model.answer, found(pictures)).judged
    patient = dict(zip(judged.path, judged.patient, strict=True))
    x, y, z = (patient[f"NORMAL/{name}.png"] for name in "xyz")
    assert x == y != z
    assert patient["PNEUMONIA/person1_virus_1.png"] == "virus-1"


def test_a_broken_picture_is_told_and_does_not_touch_the_others(model, pictures):
    (pictures / "NORMAL" / "a.png").write_bytes(b"text")
    (pictures / "NORMAL" / "link.png").symlink_to("nowhere")
    result = judge(model.answer, found(pictures))
    reasons = dict(zip(result.judged.path, result.reasons, strict=True))
    assert "text file" in reasons["NORMAL/a.png"]
    assert reasons["NORMAL/link.png"] == "link that leads nowhere"
    assert result.judged.valid.sum() == 8
    assert np.isnan(result.judged.brightness).sum() == 2


def test_another_model_is_asked_about_the_same(model, pictures):
    def ask(images):
        return [Answer(0.25, "NORMAL", content != grey(20)) for content in images]

    other = judge(model.answer, found(pictures), ask_other=ask).other
    assert other.valid.tolist() == [False] + [True] * 7
    assert other.probability.tolist() == [0.5] + [0.25] * 7


def test_progress_is_told(model, pictures):
    told = []
    judge(model.answer, found(pictures), progress=lambda *counts: told.append(counts))
    assert told[-1] == (8, 8)


def test_other_columns_are_kept(model, pictures):
    from serving.evaluate.labels_table import read

    table = pictures / "labels.csv"
    table.write_text("path,label,site\nNORMAL/x.png,0,Rome\nPNEUMONIA/person1_virus_1.png,1,Oslo\n")
    judged = judge(model.answer, read(table, ["site"]).pictures).judged
    assert judged.others["site"].tolist() == ["Rome", "Oslo"]


def test_a_model_that_tells_its_domain_is_heard(model, pictures):
    (pictures / "NORMAL" / "a.png").write_bytes(b"text")

    def ask(images):
        return [Answer(0.25, "NORMAL", True, content != grey(20), 1.0) for content in images]

    judged = judge(ask, found(pictures)).judged
    flagged = judged.path[judged.valid & ~judged.in_domain]
    assert flagged.tolist() == ["NORMAL/IM-0001-0001.png"]
    assert judge(model.answer, found(pictures)).judged.in_domain is None
