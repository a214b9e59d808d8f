"""HEIC files of the pixels that tests use, kept: what writes them is as large as all that reads.

Other pixels are added to ``heic_files.json`` where pillow-heif is installed, which the project's
environment leaves out.
"""

import base64
import hashlib
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

_KEPT = Path(__file__).with_suffix(".json")


def of(pixels: np.ndarray) -> bytes:
    """The file of [H, W] uint8 or uint16, or [H, W, 3] uint8, without loss of its 8 or 12 bits."""
    facts = f"{pixels.shape} {pixels.dtype}".encode()
    name = hashlib.sha256(facts + pixels.tobytes()).hexdigest()[:16]
    kept = json.loads(_KEPT.read_text())
    if name not in kept:
        kept[name] = base64.b64encode(_saved(pixels)).decode()
        _KEPT.write_text(json.dumps(dict(sorted(kept.items())), indent=0) + "\n")
    return base64.b64decode(kept[name])


def _saved(pixels: np.ndarray) -> bytes:
    import pillow_heif

    file = io.BytesIO()
    pillow_heif.options.SAVE_HDR_TO_12_BIT = True
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(
        file, quality=-1, chroma=444, matrix_coefficients=0
    )
    return file.getvalue()
