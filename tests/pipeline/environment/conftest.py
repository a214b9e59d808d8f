import pytest


@pytest.fixture
def checkout(tmp_path):
    """What the set-up reads of a checkout."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "requirements.lock").write_text("tfx==1.21.0\n")
    (folder / "setup.py").write_text("setup()\n")
    return folder


@pytest.fixture
def venv(checkout):
    """Where its environment is to be; not there yet."""
    return checkout / ".venv"
