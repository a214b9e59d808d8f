import pytest

from serving.images.other_formats import describe
from tests.conftest import SHARED

CONVERT = "convert it to PNG"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (bytes(128) + b"DICM", "DICOM file: export it as PNG of 8 bits"),
        (b"\x08\x00\x05\x00CS" + bytes(400), "DICOM file"),
        (b"\x02\x00\x00\x00UL\x04\x00" + bytes(400), "DICOM file"),
        (b"\0\0\0\x1cftypqt  \0\0", "film: export an image"),
        (b"\0\0\0\x0cJXL \r\n", f"JPEG XL image: {CONVERT}"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "7z archive: unpack it"),
        (b"Rar!\x1a\x07\x01\0", "RAR archive: unpack it"),
        (b"PK\x03\x04\x14\0", "ZIP archive: unpack it"),
        (b"folder/".ljust(257, b"\0") + b"ustar", "tar archive: unpack it"),
        (b"\x93NUMPY\x01\0", "NumPy array"),
        (b"<!DOCTYPE html>\n<title>404", "text file: an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "text file: a pointer of Git LFS"),
        (b"\x08\x00\x05", "not an image: unknown content"),
        (b"\x00\x01\x02\x03", "not an image: unknown content"),
    ],
)
def test_what_a_file_is_is_reported_with_what_to_do(data, message):
    assert describe(data).startswith(message)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("09_dicom/no_preamble_implicit.dcm", "DICOM file"),
        ("09_dicom/mono2_rle.dcm", "DICOM file"),
    ],
)
def test_files_that_were_found_are_reported(path, message):
    file = SHARED / "found" / path
    if not file.exists():
        pytest.skip("the found files are not on this machine (../shared/found)")
    assert describe(file.read_bytes()).startswith(message)
