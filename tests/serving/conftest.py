from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def version(tmp_path_factory) -> Path:
    """The folder of a small model's version."""
    from tests.serving.saved import save

    return save(tmp_path_factory.mktemp("chest_xray") / "17")
