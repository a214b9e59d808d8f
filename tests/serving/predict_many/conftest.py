import pytest

from serving import model, predict
from serving.predict_many import inputs, judging
from tests.serving.predict_many.samples import fill


@pytest.fixture
def pictures(tmp_path):
    return fill(tmp_path / "pictures", 12)


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(inputs, "PART_PICTURES", 2)
    monkeypatch.setattr(judging, "PART_PICTURES", 2)
    monkeypatch.setattr(predict, "_BATCH_PICTURES", 2)


@pytest.fixture
def judged(monkeypatch):
    """The number of pictures in each call of a model, from here on."""
    sizes = []
    answer = model.Model.answer

    def counted(self, images):
        sizes.append(len(images))
        return answer(self, images)

    monkeypatch.setattr(model.Model, "answer", counted)
    return sizes
