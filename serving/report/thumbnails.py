"""Thumbnails of images."""

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from serving.evaluate.pixels import grey
from serving.explain.overlay import overlay
from serving.model import Model
from serving.report.context import ShownImage
from transform_module.errors import UserError

_SIDE: Final = 160
_QUALITY: Final = 80


def thumbnails(contents: Mapping[str, bytes], model: Model) -> dict[str, ShownImage]:
    """Makes thumbnails, with heat maps where the model has the signature ``explain``.

    Args:
        contents: valid images, encoded, by the path in the findings.
        model: computes the heat maps.
    """
    decoded = {path: (content, grey(content)) for path, content in contents.items()}
    known = {
        path: (content, pixels) for path, (content, pixels) in decoded.items() if pixels is not None
    }
    heats = _heats([content for content, _ in known.values()], model)
    return {
        path: ShownImage(
            thumbnail=small(Image.fromarray(pixels)),
            overlay=b"" if heat is None else small(overlay(pixels, heat)),
        )
        for (path, (_, pixels)), heat in zip(known.items(), heats, strict=True)
    }


def kept_out(paths: Iterable[str], images: Path) -> dict[str, ShownImage]:
    """Makes thumbnails of quarantined files, where Pillow can decode them.

    Args:
        paths: of the files, as in the quarantine.
        images: their folder.
    """
    found = {}
    for path in paths:
        try:
            with Image.open(images / path) as image:
                found[path] = ShownImage(thumbnail=small(image.convert("L")))
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
    return found


def small(image: Image.Image) -> bytes:
    """Encodes an image as JPEG, at most 160 pixels on its longer side."""
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    # From the pixels alone: Pillow writes the comment of the file that it opened into the new one.
    Image.fromarray(np.asarray(image)).save(content, "JPEG", quality=_QUALITY)
    return content.getvalue()


def _heats(contents: list[bytes], model: Model) -> list[np.ndarray | None]:
    try:
        model.check_explains()
    except UserError:
        return [None] * len(contents)
    return list(model.heat_maps(contents)) if contents else []
