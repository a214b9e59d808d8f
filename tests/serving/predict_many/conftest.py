import pytest

from serving import model, predict
from serving.predict_many import inputs, predicting
from tests.serving.predict_many.samples import fill


@pytest.fixture
def images(tmp_path):
    return fill(tmp_path / "images", 12)


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(inputs, "PART_IMAGES", 2)
    monkeypatch.setattr(predicting, "PART_IMAGES", 2)
    monkeypatch.setattr(predict, "_BATCH_IMAGES", 2)


@pytest.fixture
def predicted(monkeypatch):
    """The number of images in each call of a model, from here on."""
    sizes = []
    answer = model.Model.answer

    def counted(self, images):
        sizes.append(len(images))
        return answer(self, images)

    monkeypatch.setattr(model.Model, "answer", counted)
    return sizes
