import pytest

from tests.serving.evaluate.samples import fill


@pytest.fixture
def images(tmp_path):
    return fill(tmp_path / "images")
