"""The one door from a file's bytes to what the transform graph decodes."""

from collections.abc import Sequence
from dataclasses import dataclass

from serving.images import other_formats, reasons
from serving.images.dicom.facts import Facts
from serving.images.encoding import formats, headers, isolation
from transform_module.contract import MAXIMUM_PIXELS


@dataclass(frozen=True, slots=True)
class Encoded:
    """An image as the transform graph takes it.

    Attributes:
        image: JPEG, PNG, GIF or BMP: the very bytes of the file, or its pixels as a PNG of their
            own depth, upright.
        format: of the file, one of `formats.NAMES`.
        facts: what the tags of a DICOM file say; None of other files.
    """

    image: bytes
    format: str
    facts: Facts | None = None

    @property
    def is_reencoded(self) -> bool:
        """Whether the image is another one than the file."""
        return self.format not in formats.DIRECT


def encoded(data: bytes) -> Encoded | str:
    """Encodes a file's image for the transform graph.

    What the graph decodes itself is passed on without a look beyond its first bytes: whether it is
    whole says `decode_check`, or the model.

    Args:
        data: the content of a file; anything.

    Returns:
        The image, or why there is none: a few words, then often a colon and the particulars. Never
        raises for what the bytes are.
    """
    if form := formats.direct(data):
        return Encoded(data, form)
    if not data:
        return "empty file"
    form = formats.other(data)
    if form is None:
        return other_formats.describe(data)
    return _reencoded(data, form)


def images_of(files: Sequence[bytes]) -> list[bytes]:
    """Encodes the images of files.

    Args:
        files: their contents; each is decoded once, however often it is there.

    Returns:
        An image for each; the file itself where it holds none, of which a model says the same.
    """
    made: dict[bytes, bytes] = {}
    for data in files:
        if not formats.direct(data) and data not in made:
            found = encoded(data)
            made[data] = found.image if isinstance(found, Encoded) else data
    return [made.get(data, data) for data in files] if made else list(files)


def pixels(data: bytes) -> int:
    """Returns how many pixels are decoded to encode an image anew, by its header.

    Returns:
        Width times height; 0 where nothing is decoded: of what passes as it is, of other files
        than images, and of more than MAXIMUM_PIXELS.
    """
    form = None if formats.direct(data) else formats.other(data)
    found = headers.size(data, form) if form else None
    count = found[0] * found[1] if found else 0
    return count if count <= MAXIMUM_PIXELS else 0


def _reencoded(data: bytes, form: str) -> Encoded | str:
    name = formats.NAMES[form]
    found = headers.size(data, form)
    if found is None:
        return f"damaged {name}"
    if reason := reasons.size(*found):
        return reason
    made = isolation.reencoded(data, form, found)
    if isinstance(made, str):
        return made
    image, facts = made
    return Encoded(image, form, facts)
