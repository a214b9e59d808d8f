"""A model's folder, small enough to be pushed in tests."""

import json
from pathlib import Path

from tests.components.test_pusher import RECORD
from transform_module import contract


def model(folder: Path, weights: bytes = b"weights") -> Path:
    """Writes a graph, weights and a record into a folder; returns it."""
    for name, content in (
        ("saved_model.pb", b"graph"),
        ("variables/data", weights),
        (contract.MODEL_RECORD, json.dumps(RECORD).encode()),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder
