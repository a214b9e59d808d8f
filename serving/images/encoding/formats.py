"""Image formats that are read, recognized by a file's first bytes."""

from typing import Final

from serving.images.dicom.parsing import is_dicom

JPEG: Final = "jpeg"
PNG: Final = "png"
GIF: Final = "gif"
BMP: Final = "bmp"
TIFF: Final = "tiff"
WEBP: Final = "webp"
JPEG_2000: Final = "jpeg2000"
HEIC: Final = "heic"
AVIF: Final = "avif"
DICOM: Final = "dicom"

NAMES: Final = {
    JPEG: "JPEG",
    PNG: "PNG",
    GIF: "GIF",
    BMP: "BMP",
    TIFF: "TIFF",
    WEBP: "WebP",
    JPEG_2000: "JPEG 2000",
    HEIC: "HEIC",
    AVIF: "AVIF",
    DICOM: "DICOM",
}
"""How messages name them."""

_OTHERS: Final = (
    (0, b"II*\0", TIFF),
    (0, b"MM\0*", TIFF),
    (0, b"II+\0", TIFF),
    (0, b"MM\0+", TIFF),
    (8, b"WEBP", WEBP),
    (0, b"\0\0\0\x0cjP  ", JPEG_2000),
    (0, b"\xff\x4f\xff\x51", JPEG_2000),
)

# ISO base media files, by their major brand (registered at mp4ra.org).
_BRANDS: Final = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), HEIC),
    **dict.fromkeys((b"avif", b"avis"), AVIF),
}


DIRECT: Final = (JPEG, PNG, GIF, BMP)
"""Those that the transform graph decodes."""

SUFFIXES: Final = (
    *(".jpeg", ".jpg", ".png", ".gif", ".bmp"),
    *(".tif", ".tiff", ".webp", ".jp2", ".j2k", ".jpx", ".heic", ".heif", ".avif"),
    *(".dcm", ".dicom"),
)
"""How their files' names end, mostly; what a file is, its content alone says."""

_MAGIC: Final = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF8", GIF),
    (b"BM", BMP),
)


def direct(data: bytes) -> str | None:
    """Returns the format of an image that the transform graph decodes; None of all else."""
    return next((name for magic, name in _MAGIC if data.startswith(magic)), None)


def other(data: bytes) -> str | None:
    """Returns the format of an image that is read, but not by the transform graph."""
    # Its preamble may be the head of a TIFF.
    if is_dicom(data):
        return DICOM
    for start, magic, name in _OTHERS:
        if data[start : start + len(magic)] == magic:
            return name
    if data[4:8] != b"ftyp":
        return None
    # Any still image may have another brand before its own.
    is_avif = b"avif" in data[16:64] and data[8:12] in _BRANDS
    return AVIF if is_avif else _BRANDS.get(data[8:12])
