import pytest

from tests.serving.evaluate.samples import fill


@pytest.fixture
def pictures(tmp_path):
    return fill(tmp_path / "pictures")
