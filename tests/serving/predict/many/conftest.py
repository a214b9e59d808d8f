import pytest

from serving import model
from serving.predict import files
from serving.predict.many import beam_predicting, inputs
from tests.serving.predict.many.samples import fill


@pytest.fixture
def images(tmp_path):
    return fill(tmp_path / "images", 12)


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(inputs, "PART_IMAGES", 2)
    monkeypatch.setattr(beam_predicting, "PART_IMAGES", 2)
    monkeypatch.setattr(files, "_BATCH_IMAGES", 2)


@pytest.fixture
def predicted(monkeypatch):
    """The number of images in each call of a model, from here on."""
    sizes = []
    predict = model.Model.predict

    def counted(self, images):
        sizes.append(len(images))
        return predict(self, images)

    monkeypatch.setattr(model.Model, "predict", counted)
    return sizes
