"""What real folders hold beside good images: damage, and what only looks like it."""

import io
import os
import random
import struct
import zipfile
import zlib
from pathlib import Path

from PIL import Image

from tests.components.convert.folders import xray
from tests.images import FORMATS, encode, grey_pixels
from transform_module.text import as_text


def saved(image: Image.Image, file_format: str, **options) -> bytes:
    """The bytes of an image's file."""
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def png_of_zeros(width: int, height: int) -> bytes:
    """A whole PNG of black pixels, which may be far larger than memory."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((1 + (width + 7) // 8) * height), 1)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def _archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.png", xray(1))
    return file.getvalue()


def _animation(seed: int) -> bytes:
    frames = [Image.fromarray(grey_pixels(44, 40, seed + number)) for number in range(3)]
    return saved(frames[0], "GIF", save_all=True, append_images=frames[1:])


def good_files() -> dict[bytes, bytes]:
    """Images that must not be lost, whatever their names promise."""
    files = {f"{name}.{name.split('-')[0]}": name for name in FORMATS} | {
        "UPPER.JPG": "jpeg-grey",
        "png named.jpeg": "png-grey",
        "jpeg named.png": "jpeg-rgb",
        "gif named.bmp": "gif",
        "without suffix": "jpeg-grey",
        "text.txt": "bmp-grey",
        "röntgen 胸部 🫁.png": "png-grey",
        'comma, "quote" and\nline.png': "png-grey",
        f"{'long' * 62}.jpeg": "jpeg-grey",
        "x.png/y.jpeg/z.png": "png-grey",
    }
    made = {os.fsencode(path): xray(seed, name) for seed, (path, name) in enumerate(files.items())}
    return made | {
        b"caf\xe9.png": xray(100),
        b"trailing.jpeg": xray(101, "jpeg-rgb") + bytes(5000),
        b"animated.gif": _animation(102),
        b"smallest.png": encode(grey_pixels(32, 32, 103), "png-grey"),
        b"wide.png": encode(grey_pixels(4000, 32, 104), "png-grey"),
    }


def bad_files() -> dict[bytes, tuple[bytes, str]]:
    """Files that are not images, with the reason that they are refused for."""
    jpeg = xray(200, "jpeg-progressive")
    png, gif, bmp = (xray(201, name) for name in ("png-rgb", "gif", "bmp-rgb"))
    flipped = bytearray(png)
    flipped[len(png) // 2] ^= 0xFF
    truncated = {
        f"cut at {place}.jpeg".encode(): (jpeg[:place], "truncated JPEG")
        for place in [3, 4, 20, 100, *range(150, len(jpeg), 100), len(jpeg) - 2, len(jpeg) - 1]
    }
    return truncated | {
        b"cut.png": (png[:-20], "truncated PNG"),
        b"cut.gif": (gif[:-20], "truncated GIF"),
        b"cut.bmp": (bmp[:-20], "truncated BMP"),
        b"flipped.png": (bytes(flipped), "damaged PNG"),
        b"no pixels.jpeg": (b"\xff\xd8\xff\xd9", "damaged JPEG"),
        b"zero.jpeg": (b"", "empty file"),
        b"one byte.jpeg": (b"\xff", "not an image: unknown content"),
        b"zeros.png": (bytes(3000), "not an image: unknown content"),
        b"random.jpeg": (random.Random(7).randbytes(3000), "not an image: unknown content"),
        b"text.jpg": (b"the doctor will send the image\n", "text file"),
        b"page.png": (
            b"<html>404</html>",
            "text file: an HTML page, as a download that failed leaves",
        ),
        b"scan.dcm": (
            bytes(128) + b"DICM" + bytes(900),
            "DICOM without an image",
        ),
        b"dicom.jpeg": (
            bytes(128) + b"DICM" + bytes(901),
            "DICOM without an image",
        ),
        b"web.jpeg": (saved(Image.new("L", (40, 40)), "WEBP")[:-9], "damaged WebP"),
        b"film.jpg": (saved(Image.new("L", (40, 40)), "TIFF")[:-9], "damaged TIFF"),
        b"letter.jpg": (b"%PDF-1.7\n", "PDF document: export its image as PNG"),
        b"archive.png": (_archive(), "ZIP archive: give it by itself as the images, or unpack it"),
        b"dot.png": (
            encode(grey_pixels(1, 1), "png-grey"),
            "too small: 1x1 pixels, the least side is 32",
        ),
        b"line.png": (
            encode(grey_pixels(400, 31), "png-grey"),
            "too small: 400x31 pixels, the least side is 32",
        ),
        b"bomb.png": (
            png_of_zeros(20_000, 20_000),
            "too large: 20000x20000 are 400.0 million pixels, the limit is 50",
        ),
    }


def write(folder: Path) -> dict[str, str | None]:
    """Writes all of it into a class folder.

    Returns:
        For each file, by its path as the quarantine shows it, the reason; None where it is good,
        and ``skipped``.
    """
    expected: dict[str, str | None] = {}
    good = {path: (content, None) for path, content in good_files().items()}
    system = dict.fromkeys((b".DS_Store", b"Thumbs.db", b"._a.jpeg"), (b"\x00\x01", "skipped"))
    for path, (content, reason) in {**good, **bad_files(), **system}.items():
        target = os.path.join(os.fsencode(folder), path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(content)
        expected[as_text(path)] = reason
    (folder / "folder.jpeg").mkdir()
    (folder / "dangling.jpeg").symlink_to("nowhere.jpeg")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.jpeg")
    expected |= {
        "folder.jpeg": "empty folder that is named like an image",
        "dangling.jpeg": "link that leads nowhere",
        "loop": "link to a folder that it lies in",
        "pipe.jpeg": "no regular file: a pipe, socket or device",
    }
    if os.geteuid():
        (folder / "closed.png").write_bytes(xray(300))
        (folder / "closed.png").chmod(0)
        expected["closed.png"] = "cannot be opened: permission denied"
    return expected
