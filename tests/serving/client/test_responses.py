"""The clients against the embedded server."""

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from serving.client import (
    MAXIMUM_IMAGE,
    Metadata,
    Refused,
    Signature,
    Tensor,
    UnknownModel,
    VersionStatus,
    connect,
    connect_async,
)
from serving.model import Model
from serving.predict import files
from tests.images import FORMATS, encode, grey_pixels
from tests.serving.client.calling import IMAGE, grey

IMAGES = [
    *(grey(value) for value in (0, 51, 127, 128, 204, 255)),
    b"broken",
    b"",
    *(encode(grey_pixels(40, 50), name) for name in FORMATS if name.startswith("png")),
]


@pytest.fixture(scope="module")
def loaded(version):
    return Model(version)


@pytest.fixture(params=["rest", "grpc"])
def url(request, served):
    return getattr(served, request.param)


def test_a_client_predicts_as_the_model_in_process(url, call, loaded):
    assert call(url, "predict", IMAGES) == loaded.predict(IMAGES)


def test_one_image_is_predicted_as_in_a_batch(url, call, loaded):
    for image in IMAGES[4:7]:
        assert call(url, "predict", [image]) == loaded.predict([image])


def test_no_images_make_no_call(call):
    for nowhere in ("http://127.0.0.1:9", "grpc://127.0.0.1:9"):
        assert call(nowhere, "predict", []) == []


def test_the_state_of_the_versions_is_reported(url, call):
    assert call(url, "status") == [VersionStatus(17, "AVAILABLE", "")]


def test_the_metadata_are_reported(url, call):
    outputs = {"probability": "DT_FLOAT", "label": "DT_STRING", "valid": "DT_BOOL"}
    outputs |= {"in_domain": "DT_BOOL", "domain_distance": "DT_FLOAT", "triage": "DT_STRING"}
    expected = Signature(
        {"image_bytes": Tensor("DT_STRING", (None,))},
        {name: Tensor(dtype, (None,)) for name, dtype in outputs.items()},
    )
    features = Signature(
        {"examples": Tensor("DT_STRING", (None,))},
        {"image_xf": Tensor("DT_FLOAT", (None, 160, 160, 1))},
    )
    signatures = {"serving_default": expected, "transform_features": features}
    assert call(url, "metadata") == Metadata("chest_xray", 17, signatures)


def test_a_version_can_be_named(url, call, loaded):
    assert call(url, "predict", [IMAGE], version=17) == loaded.predict([IMAGE])
    assert call(url, "status", version=17) == [VersionStatus(17, "AVAILABLE", "")]


@pytest.mark.parametrize("what", ["predict", "status", "metadata"])
def test_an_unknown_model_is_reported(url, call, what):
    given = [[IMAGE]] if what == "predict" else []
    with pytest.raises(UnknownModel) as caught:
        call(url, what, *given, model="mri")
    assert f"{url} does not serve mri. It says: " in str(caught.value)


def test_an_unknown_version_is_reported(url, call):
    with pytest.raises(UnknownModel, match=r"does not serve chest_xray, version 3\. It says: \w"):
        call(url, "predict", [IMAGE], version=3)


def test_an_unknown_label_is_reported(url, call):
    with pytest.raises(Refused, match=r"chest_xray, label stable: .*\w.* label"):
        call(url, "predict", [IMAGE], label="stable")


def test_threads_share_a_client(url, loaded):
    expected = [loaded.predict([image]) for image in IMAGES] * 5
    with connect(url) as client, ThreadPoolExecutor(8) as pool:
        predictions = list(pool.map(lambda image: client.predict([image]), IMAGES * 5))
    assert predictions == expected


def test_tasks_share_a_client(url, loaded):
    async def call_together():
        async with connect_async(url) as client:
            return await asyncio.gather(*(client.predict([each]) for each in IMAGES * 5))

    expected = [loaded.predict([image]) for image in IMAGES] * 5
    assert asyncio.run(call_together()) == expected


@pytest.fixture
def folder(tmp_path):
    """Forty images, a broken one, and in another folder what cannot be read."""
    for number in range(40):
        (tmp_path / f"{number:02d}.png").write_bytes(grey(6 * number))
    (tmp_path / "33.png").write_bytes(b"broken")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "gone.png").symlink_to("nowhere")
    (tmp_path / "other" / "last.png").write_bytes(grey(255))
    return tmp_path


def test_files_are_predicted_as_in_process(url, call, version, folder):
    paths = [folder, folder / "no.png", folder / "00.png"]
    batches = call(url, "predict_files", paths)
    assert [len(batch) for batch in batches] == [32, 12]
    rows = [row for batch in batches for row in batch]
    assert rows == files.predict(version, paths)
    assert [row.reason for row in rows if not row.valid] == [
        "text file",
        "cannot be opened: no such file or directory",
        "cannot be opened: no such file or directory",
    ]


def test_the_largest_request_is_taken(served):
    # Zeros are not an image, but they are sent as one.
    images = [bytes(MAXIMUM_IMAGE // 32)] * 32
    for url in (served.rest, served.grpc):
        with connect(url, timeout=600) as client:
            assert not any(prediction.valid for prediction in client.predict(images))
            with pytest.raises(Refused, match=r"request of \d\d,.* bytes.*Give fewer"):
                client.predict([*images, bytes(17 * 2**20)])


def test_rest_needs_no_tensorflow(served, tmp_path):
    (tmp_path / "good.png").write_bytes(IMAGE)
    (tmp_path / "bad.png").write_bytes(b"broken")
    code = f"""
import sys
from pathlib import Path
from serving.client import connect, connect_async
with connect({served.rest!r}) as client:
    (batch,) = client.predict_files([Path({str(tmp_path)!r})])
    print([row.label for row in batch], len(client.status()), client.metadata().version)
connect_async({served.rest!r})
print([name for name in ("tensorflow", "grpc") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["['INVALID', 'PNEUMONIA'] 1 17", "[]"]
