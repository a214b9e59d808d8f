import io
import logging
import struct
import warnings
import zlib

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
)

from serving.images.dicom.facts import Facts
from serving.images.dicom.rendering import Rendered, is_dicom, render
from serving.images.encoding.encoding import encoded
from tests.conftest import SHARED
from tests.dicom_files import (
    COMPRESSIONS,
    SAMPLES,
    compressed,
    data_set,
    dicom,
    jpeg_baseline,
    with_stream,
    written,
)
from tests.images import grey_pixels
from transform_module.contract import MAXIMUM_PIXELS

EIGHT = grey_pixels(70, 60)
TWELVE = (EIGHT.astype(np.uint16) << 4) | (EIGHT >> 4)
SIXTEEN = np.rint(TWELVE * (65_535 / 4095))
"""What 12 bits are in 16."""


def pixels_of(rendered: Rendered | str) -> np.ndarray:
    assert isinstance(rendered, Rendered), rendered
    return np.asarray(Image.open(io.BytesIO(rendered.png)))


def reason_of(data: bytes) -> str:
    reason = render(data)
    assert isinstance(reason, str)
    return reason


@pytest.mark.parametrize("how", COMPRESSIONS)
@pytest.mark.parametrize("stored", [EIGHT, TWELVE], ids=["8", "12"])
def test_every_compression_without_losses_gives_the_same_bytes(how, stored):
    file = dicom(stored, 12 if stored is TWELVE else 8)
    plain, packed = render(file), render(compressed(file, how))
    assert isinstance(plain, Rendered)
    assert isinstance(packed, Rendered)
    assert packed.png == plain.png
    assert np.array_equal(pixels_of(plain), EIGHT if stored is EIGHT else SIXTEEN)


def test_compressions_with_losses():
    for file in (jpeg_baseline(EIGHT), compressed(dicom(EIGHT), "jpeg-2000-lossy")):
        assert np.abs(pixels_of(render(file)).astype(int) - EIGHT).max() <= 3


@pytest.mark.parametrize("how", ["deflated", "implicit", "big endian"])
def test_every_way_to_write_tags(how):
    dataset = data_set(TWELVE, 12)
    syntax = {
        "deflated": DeflatedExplicitVRLittleEndian,
        "implicit": ImplicitVRLittleEndian,
        "big endian": ExplicitVRBigEndian,
    }[how]
    dataset.file_meta.TransferSyntaxUID = syntax
    if how == "big endian":
        dataset.PixelData = TWELVE.astype(">u2").tobytes()
    assert np.array_equal(pixels_of(render(written(dataset))), SIXTEEN)


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("order", ["little", "big"])
def test_without_preamble_and_file_meta(implicit, order):
    if implicit and order == "big":
        pytest.skip("not in DICOM")
    dataset = data_set(TWELVE.astype("<u2" if order == "little" else ">u2"), 12)
    del dataset.file_meta
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, implicit_vr=implicit, little_endian=order == "little")
    assert file.getvalue()[128:132] != b"DICM"
    assert is_dicom(file.getvalue())
    assert np.array_equal(pixels_of(render(file.getvalue())), SIXTEEN)


def test_signed_pixels_of_either_byte_order():
    signed = (TWELVE.astype(np.int16) - 2048).astype(np.int16)
    assert np.array_equal(pixels_of(render(dicom(signed, 12))), SIXTEEN)
    dataset = data_set(signed, 12)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    dataset.PixelData = signed.astype(">i2").tobytes()
    assert np.array_equal(pixels_of(render(written(dataset))), SIXTEEN)


def test_colours_become_grey_by_their_luma():
    colours = np.random.default_rng(0).integers(0, 256, (60, 70, 3), dtype=np.uint8)
    expected = np.rint(colours @ np.array([0.299, 0.587, 0.114], np.float32))
    assert np.array_equal(pixels_of(render(dicom(colours))), expected)
    grey = np.repeat(EIGHT[..., np.newaxis], 3, axis=2)
    assert np.array_equal(pixels_of(render(dicom(grey))), EIGHT)


def test_one_frame_is_an_image_and_several_are_refused():
    assert np.array_equal(pixels_of(render(dicom(EIGHT, NumberOfFrames=1))), EIGHT)
    assert reason_of(dicom(EIGHT, NumberOfFrames=3)).startswith("DICOM of 3 frames: export")


def test_a_file_is_rendered_to_the_same_bytes_each_time():
    file = dicom(TWELVE, 12)
    assert render(file) == render(bytes(bytearray(file)))


def test_facts_come_with_the_image():
    rendered = render(dicom(EIGHT, PatientID="4711", ViewPosition="PA", BodyPartExamined="CHEST"))
    assert isinstance(rendered, Rendered)
    assert rendered.facts == Facts("DX", "CHEST", "PA", patient_id="4711")


def test_what_is_no_image_is_refused():
    dataset = data_set(EIGHT)
    del dataset.PixelData
    assert reason_of(written(dataset)) == "DICOM without an image"
    assert reason_of(b"") == "DICOM without an image"


def test_32_bits_are_refused():
    assert (
        reason_of(dicom(EIGHT.astype(np.uint32)))
        == "DICOM of 32 bits in 32 a pixel: 8 to 16 are read"
    )


def test_the_size_is_refused_before_pixels_are_decoded():
    dataset = data_set(EIGHT)
    dataset.Rows = dataset.Columns = 60_000
    assert reason_of(written(dataset)).startswith("too large: 60000x60000 are 3,600.0 million")
    assert MAXIMUM_PIXELS < 60_000**2


def test_a_codestream_of_another_size_is_refused():
    file = pydicom.dcmread(io.BytesIO(compressed(dicom(TWELVE, 12), "jpeg-2000")))
    stream = next(pydicom.encaps.generate_frames(file.PixelData, number_of_frames=1))
    at = stream.index(b"\xff\x51") + 6
    large = stream[:at] + struct.pack(">II", 40_000, 40_000) + stream[at + 8 :]
    refused = reason_of(with_stream(file, large, file.file_meta.TransferSyntaxUID))
    assert refused.startswith("damaged DICOM: its compressed pixels are of another size")


def test_a_deflated_bomb_is_refused():
    dataset = data_set(EIGHT)
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    file = written(dataset)
    start = len(file) - len(zlib.compress(b"")) and file.index(b"1.2.840.10008.1.2.1.99") + 22
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    zeros = b"".join(deflater.compress(bytes(2**20)) for _ in range(300)) + deflater.flush()
    assert reason_of(file[:start] + zeros).startswith(("too large: a file of more than", "damaged"))


@pytest.mark.parametrize("how", ["plain", *COMPRESSIONS, "jpeg-baseline"])
def test_every_truncation_is_refused(how):
    if how == "jpeg-baseline":
        file = jpeg_baseline(EIGHT)
    else:
        file = dicom(TWELVE, 12) if how == "plain" else compressed(dicom(TWELVE, 12), how)
    reasons = {reason_of(file[:length]) for length in range(132, len(file) - 20, 211)}
    assert "truncated DICOM" in reasons
    assert reasons <= {"truncated DICOM", "DICOM without an image"}


@pytest.mark.parametrize("how", ["jpeg-lossless", "jpeg-ls"])
def test_damage_that_crashes_the_decoder_is_a_reason(how):
    file = pydicom.dcmread(io.BytesIO(compressed(dicom(TWELVE, 12), how)))
    stream = next(pydicom.encaps.generate_frames(file.PixelData, number_of_frames=1))
    reasons = set()
    for seed in range(6):
        generator = np.random.default_rng(seed)
        damaged = bytearray(stream)
        for _ in range(5):
            damaged[int(generator.integers(30, len(damaged) - 20))] = int(generator.integers(256))
        found = encoded(with_stream(file, bytes(damaged), file.file_meta.TransferSyntaxUID))
        reasons.add(found if isinstance(found, str) else "")
    allowed = {"", "damaged DICOM", "truncated DICOM"}
    assert {reason.split(":")[0] for reason in reasons} <= allowed


def test_a_stream_without_an_end_is_refused_where_gdcm_would_not_return():
    file = pydicom.dcmread(io.BytesIO(compressed(dicom(TWELVE, 12), "jpeg-ls")))
    stream = next(pydicom.encaps.generate_frames(file.PixelData, number_of_frames=1))
    assert reason_of(with_stream(file, stream[:100], JPEGLSLossless)) == "truncated DICOM"


def test_a_compression_that_is_not_read_is_named():
    reason = reason_of(with_stream(data_set(EIGHT), b"\xff\x4f\xff\x51", HTJ2KLossless))
    assert reason.startswith("DICOM compressed in High-Throughput JPEG 2000")
    unknown = with_stream(data_set(EIGHT), b"x", HTJ2KLossless).replace(b"4.201", b"4.299")
    assert reason_of(unknown).startswith("DICOM compressed in an unknown way, which is not read")


def test_damage_anywhere_is_an_image_or_a_reason():
    file = dicom(TWELVE, 12, WindowCenter=[9, 8], WindowWidth=[7, 6], PatientID="x")
    head = file.index(b"\xe0\x7f\x10\x00") + 12
    generator = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(file)
        for _ in range(3):
            damaged[int(generator.integers(128, head))] = int(generator.integers(256))
        assert render(bytes(damaged))


def test_a_flood_of_elements_is_refused():
    element = struct.pack("<HH2sH", 0x0009, 0x0010, b"LO", 0)
    file = dicom(EIGHT)
    start = file.index(struct.pack("<HH", 0x0028, 0x0002))
    flood = file[:start] + element * 500_000 + file[start:]
    assert reason_of(flood) == "damaged DICOM: it has too many elements"


def test_no_text_of_a_tag_is_logged_or_warned_of(caplog):
    name = "Doe^Jane"
    texts = {"PatientID": name, "Modality": name, "ViewPosition": name, "BodyPartExamined": name}
    file = dicom(TWELVE, 12, PresentationLUTShape=name, Laterality=name, **texts)
    malformed = file.replace(b"\x28\x00\x02\x01", b"\x28\x00\x52\x10")
    with warnings.catch_warnings(record=True) as warned, caplog.at_level(logging.DEBUG):
        for data in (file, malformed, file[:-9]):
            rendered = render(data)
            said = rendered if isinstance(rendered, str) else repr(rendered.facts)
            assert "Jane" not in said
    assert not [str(each.message) for each in warned if "Jane" in str(each.message)]
    assert "Jane" not in caplog.text


FOUND = SHARED / "found/09_dicom"


@pytest.mark.skipif(not FOUND.is_dir(), reason="no files of users here")
def test_files_that_users_have():
    found = {path.name: render(path.read_bytes()) for path in sorted(FOUND.iterdir())}
    refused = {name: each for name, each in found.items() if isinstance(each, str)}
    assert list(refused) == ["mono2_3frames.dcm"]
    shown = {name: pixels_of(found[name]) for name in found if name not in refused}
    one, *others = shown.values()
    # One image, stored in three ways.
    assert all(np.array_equal(one, other) for other in others)


SENTENCES = (
    "DICOM of ",
    "DICOM without an image",
    "DICOM in colours that are not read",
    "DICOM compressed in ",
    "DICOM that does not say how",
    "damaged DICOM: ",
    "truncated DICOM",
)


def test_all_samples_of_pydicom_are_shown_or_refused_with_a_sentence():
    shown, refused = set(), {}
    for path in sorted(SAMPLES.rglob("*")):
        if path.is_file() and path.suffix != ".py":
            rendered = render(path.read_bytes())
            if isinstance(rendered, str):
                refused[path.name] = rendered
            else:
                shown.add(path.name)
                assert pixels_of(rendered).ndim == 2
    assert len(shown) >= 50
    assert {"CT_small.dcm", "JPEG2000.dcm", "JPGExtended.dcm", "image_dfl.dcm"} <= shown
    assert {"MR_small_RLE.dcm", "MR_small_jpeg_ls_lossless.dcm", "SC_rgb_jpeg.dcm"} <= shown
    assert refused["rtdose_1frame.dcm"] == "DICOM of 32 bits in 32 a pixel: 8 to 16 are read"
    assert refused["MR_truncated.dcm"] == "truncated DICOM"
    assert not [each for each in refused.values() if not each.startswith(SENTENCES)]


@pytest.mark.parametrize(
    "names",
    [
        ("MR_small.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_implicit.dcm"),
        ("MR_small.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_expb.dcm"),
        ("SC_rgb_small_odd.dcm", "SC_rgb_small_odd_big_endian.dcm"),
    ],
)
def test_samples_of_one_image_are_shown_alike(names):
    assert len({render((SAMPLES / name).read_bytes()).png for name in names}) == 1
