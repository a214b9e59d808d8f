"""Thumbnails of images."""

import io
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from PIL import Image

from serving.evaluate.pixels import grey
from serving.explain.canvas import canvases
from serving.explain.overlay import overlay
from serving.images import decode_check
from serving.images.encoding.encoding import encoded
from serving.model import Model
from serving.predict.files import read
from serving.report.context import ShownImage
from transform_module.errors import UserError
from transform_module.files.source_path import Source

_SIDE: Final = 160
_QUALITY: Final = 80


def thumbnails(contents: Mapping[str, bytes], model: Model) -> dict[str, ShownImage]:
    """Makes thumbnails, with heat maps where the model has the signature ``explain``.

    Args:
        contents: valid images, encoded, by the path in the findings.
        model: computes the heat maps.
    """
    decoded = {path: grey(content) for path, content in contents.items()}
    known = {path: pixels for path, pixels in decoded.items() if pixels is not None}
    overlays = _overlays([contents[path] for path in known], model)
    return {
        path: ShownImage(thumbnail=small(Image.fromarray(pixels)), overlay=drawn)
        for (path, pixels), drawn in zip(known.items(), overlays, strict=True)
    }


def kept_out(paths: Iterable[str], images: Source) -> dict[str, ShownImage]:
    """Makes thumbnails of quarantined files, where Pillow can decode them.

    Args:
        paths: of the files, as in the quarantine.
        images: their folder or archive.
    """
    found = {}
    for path in paths:
        try:
            content = read(images / path)
        # An archive that is compressed as a whole shows none of its files.
        except (UserError, OSError):
            continue
        if isinstance(content, bytes) and (thumbnail := of_any(content)):
            found[path] = ShownImage(thumbnail=thumbnail)
    return found


def of_any(content: bytes) -> bytes | None:
    """Makes a thumbnail of any file, also of a doubtful one; None where it does not decode.

    What is not of the model's own formats is decoded in a process apart, see `encoded`.
    """
    image = encoded(content)
    if isinstance(image, str):
        return None
    decoded = decode_check.decode(image.image)
    if not isinstance(decoded, str):
        return small(Image.fromarray(decoded[1]))
    try:
        with Image.open(io.BytesIO(image.image), formats=("JPEG", "PNG", "GIF", "BMP")) as opened:
            return small(opened.convert("L"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def small(image: Image.Image) -> bytes:
    """Encodes an image as JPEG, at most 160 pixels on its longer side."""
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    content = io.BytesIO()
    # From the pixels alone: Pillow writes the comment of the file that it opened into the new one.
    Image.fromarray(np.asarray(image)).save(content, "JPEG", quality=_QUALITY)
    return content.getvalue()


def _overlays(contents: list[bytes], model: Model) -> list[bytes]:
    try:
        model.check_explains()
    except UserError:
        return [b""] * len(contents)
    if not contents:
        return []
    drawn = zip(canvases(contents, model), model.heat_maps(contents), strict=True)
    return [small(overlay(pixels, heat)) for pixels, heat in drawn]
