"""Images and file names on the page."""

import base64

from serving.report.context import ShownImage
from serving.report.drawing.markup import Markup, element


def image(shown: ShownImage | None, alt: str) -> Markup | None:
    """Returns an image; None without one."""
    return _inline(shown.thumbnail, alt) if shown else None


def overlay(shown: ShownImage | None, alt: str) -> Markup | None:
    """Returns an image with its heat map; None without one."""
    return _inline(shown.overlay, alt) if shown and shown.overlay else None


def name(path: str) -> Markup:
    """Returns a file name of any writing direction and length."""
    return element("bdi", path, class_="path")


def _inline(content: bytes, alt: str) -> Markup:
    kind = "png" if content.startswith(b"\x89PNG") else "jpeg"
    source = f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
    return element("img", src=source, alt=alt, width=160, height=160)
