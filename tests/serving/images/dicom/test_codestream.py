import io

import numpy as np
import pydicom
import pytest

from serving.images.dicom import codestream
from serving.images.dicom.codestream import Size
from tests.dicom_files import compressed, dicom, jpeg_baseline
from tests.images import grey_pixels

TWELVE = grey_pixels(70, 60).astype(np.uint16) << 4


def stream_of(file: bytes) -> bytes:
    pixels = pydicom.dcmread(io.BytesIO(file)).PixelData
    return next(pydicom.encaps.generate_frames(pixels, number_of_frames=1))


@pytest.mark.parametrize("how", ["jpeg-lossless", "jpeg-ls", "jpeg-2000"])
def test_the_size_is_read(how):
    stream = stream_of(compressed(dicom(TWELVE, 12), how))
    assert codestream.size_of(stream)[:3] == (70, 60, 1)
    assert codestream.is_whole(stream)
    assert not codestream.is_whole(stream[:-40])


def test_the_size_of_a_jpeg():
    assert codestream.size_of(stream_of(jpeg_baseline(grey_pixels(70, 60)))) == Size(70, 60, 1, 8)


@pytest.mark.parametrize("stream", [b"", b"\xff\xd8", b"\xff\x4f\xff\x51", b"x" * 99])
def test_there_is_no_size(stream):
    assert codestream.size_of(stream) is None


def test_any_cut_of_a_stream_has_this_size_or_none():
    stream = stream_of(compressed(dicom(TWELVE, 12), "jpeg-ls"))
    sizes = {codestream.size_of(stream[:length]) for length in range(200)}
    assert sizes == {None, codestream.size_of(stream)}
