import pytest

from serving.images.other_formats import describe

CONVERT = "convert it to PNG"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\0\0\0\x1cftypqt  \0\0", "film: export an image"),
        (b"\0\0\0\x0cJXL \r\n", f"JPEG XL image: {CONVERT}"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "7z archive: unpack it"),
        (b"Rar!\x1a\x07\x01\0", "RAR archive: unpack it"),
        (b"PK\x03\x04\x14\0", "ZIP archive: give it by itself"),
        (
            b"folder/".ljust(257, b"\0") + b"ustar",
            "tar archive: give it by itself",
        ),
        (b"\x93NUMPY\x01\0", "NumPy array"),
        (b"<!DOCTYPE html>\n<title>404", "text file: an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "text file: a pointer of Git LFS"),
        (b"\x08\x00\x05", "not an image: unknown content"),
        (b"\x00\x01\x02\x03", "not an image: unknown content"),
    ],
)
def test_what_a_file_is_is_reported_with_what_to_do(data, message):
    assert describe(data).startswith(message)
