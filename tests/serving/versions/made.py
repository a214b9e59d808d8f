"""A model's folder, small enough to be pushed in tests."""

import json
from pathlib import Path

from transform_module import contract

RECORD = {
    "transform": {"resize": "squash"},
    "settings": {"epochs": 3},
    "seed": 8,
    "dataset_fingerprint": "f1",
    "code_version": "c1",
    "versions": {"tensorflow": "2.0", "keras": "3.0"},
}


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
