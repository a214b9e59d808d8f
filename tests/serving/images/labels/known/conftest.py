import pytest

from serving.images.labels.known import known_layouts
from serving.images.settings import DatasetSettings
from tests.components.convert.folders import fill


@pytest.fixture
def read(tmp_path):
    """Reads the tables of a miniature."""

    def of(name, made, **settings):
        fill(tmp_path, made.tables)
        return known_layouts.read(name, tmp_path, DatasetSettings(layout=name, **settings))

    return of
