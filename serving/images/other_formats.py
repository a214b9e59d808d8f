"""Names of formats that are not supported, recognised by a file's first bytes."""

from typing import Final

_CONVERT: Final = "convert it to PNG, such as with ImageMagick"
_UNPACK: Final = "unpack it, and give the folder that it holds"
_ALONE: Final = "give it by itself as the images, or unpack it"

_SIGNATURES: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\0\0\0\x0cJXL ", f"JPEG XL image: {_CONVERT}"),
    (0, b"\xff\x0a", f"JPEG XL image: {_CONVERT}"),
    (0, b"8BPS", f"Photoshop file: {_CONVERT}"),
    (0, b"%PDF", "PDF document: export its image as PNG"),
    (0, b"PK\x03\x04", f"ZIP archive: {_ALONE}"),
    (0, b"7z\xbc\xaf\x27\x1c", f"7z archive: {_UNPACK}"),
    (0, b"Rar!\x1a\x07", f"RAR archive: {_UNPACK}"),
    (0, b"\xfd7zXZ\0", f"xz archive: {_UNPACK}"),
    (0, b"BZh", f"bzip2 archive: {_UNPACK}"),
    (0, b"\x1f\x8b", f"gzip archive: {_UNPACK}"),
    (257, b"ustar", f"tar archive: {_ALONE}"),
    (344, b"n+1\0", "NIfTI volume: export its image as PNG of 8 bits"),
    (0, b"\x93NUMPY", "NumPy array: save it as PNG of 8 bits"),
    (0, b"\x89HDF\r\n\x1a\n", "HDF5 file: save its image as PNG of 8 bits"),
    (0, b"P5", f"PGM image: {_CONVERT}"),
    (0, b"P6", f"PPM image: {_CONVERT}"),
)

_LFS: Final = b"version https://git-lfs.github.com/"
_HTML: Final = (b"<!doctype html", b"<html")


def describe(data: bytes) -> str:
    """Returns what a file is, and what to do with it.

    Args:
        data: its content, at least the first 1,024 bytes of it.

    Returns:
        A few words, then often a colon and what to do.
    """
    for start, signature, words in _SIGNATURES:
        if data[start : start + len(signature)] == signature:
            return words
    if data[4:8] == b"ftyp":
        return "film: export an image of it as PNG"
    return _text(data[:1024]) or "not an image: unknown content"


def _text(head: bytes) -> str | None:
    if b"\0" in head:
        return None
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The cut may fall inside a character: at most 3 bytes before the end.
        if error.start < 1021:
            return None
    if head.startswith(_LFS):
        return "text file: a pointer of Git LFS, get the image with `git lfs pull`"
    if head.lstrip()[:32].lower().startswith(_HTML):
        return "text file: an HTML page, as a download that failed leaves"
    return "text file"
