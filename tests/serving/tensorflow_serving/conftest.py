from pathlib import Path

import pytest

from serving.tensorflow_serving.served_model import ServedModel


@pytest.fixture
def model(tmp_path) -> Path:
    """A model's folder with the versions 7 and 10."""
    folder = tmp_path / "pushed" / "chest_xray"
    for version in ("7", "10"):
        (folder / version).mkdir(parents=True)
        (folder / version / "saved_model.pb").write_bytes(b"graph")
    return folder


@pytest.fixture
def served() -> ServedModel:
    return ServedModel("chest_xray", {"stable": 7, "canary": 10})


@pytest.fixture
def pem(tmp_path) -> dict[str, Path]:
    """A key, a certificate and an authority, as their files look."""
    kinds = {"key": "PRIVATE KEY", "certificate": "CERTIFICATE", "client_authority": "CERTIFICATE"}
    for name, kind in kinds.items():
        (tmp_path / name).write_text(
            f'-----BEGIN {kind}-----\n{name}\'s "text"\\\n-----END {kind}-----\n'
        )
    return {name: tmp_path / name for name in kinds}
