import base64
import json
from pathlib import Path

import numpy as np
import pytest

from serving.client import Refused
from serving.images.encoding.encoding import encoded
from serving.predict.files import FilePrediction
from tests.images import encode, grey_pixels
from tests.serving.client import stubs
from tests.serving.client.stubs import MALFORMED, Stub
from tests.serving.images.encoding.samples import FILES


def test_a_folder_without_files_gets_a_row(call, tmp_path):
    (tmp_path / "empty").mkdir()
    ((only,),) = call("http://127.0.0.1:9", "predict_files", [tmp_path / "empty"])
    assert (only.valid, only.reason) == (False, "folder without files")


def test_files_that_cannot_be_read_make_no_call(call, tmp_path):
    with stubs.rest(Stub()) as stub:
        ((only,),) = call(stub.url, "predict_files", [tmp_path / "no.png"])
    reason = "cannot be opened: no such file or directory"
    assert only == FilePrediction(str(tmp_path / "no.png"), None, "INVALID", False, reason)
    assert stub.calls == []


def test_a_file_too_large_to_be_sent_gets_its_reason(call, tmp_path):
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(50 * 2**20)
    with stubs.rest(Stub()) as stub:
        ((only,),) = call(stub.url, "predict_files", [large])
    assert only.reason.startswith("too large: ")
    assert stub.calls == []


@pytest.fixture
def few():
    """A stub that takes four images at most, and how many images each request had."""
    calls = []

    def responses(body):
        count = len(json.loads(body)["inputs"]["image_bytes"])
        calls.append(count)
        if count > 4:
            return None
        return {name: values * count for name, values in stubs.OUTPUTS.items()}

    with stubs.rest(Stub(outputs=responses)) as stub:
        yield stub, calls


def test_what_is_too_much_for_a_request_is_sent_in_halves(call, few, tmp_path):
    stub, calls = few
    for number in range(10):
        (tmp_path / f"{number}.png").write_bytes(encode(np.zeros((40, 40), np.uint8), "png-grey"))
    ((*rows,),) = call(stub.url, "predict_files", [tmp_path])
    assert [row.label for row in rows] == ["NORMAL"] * 10
    assert [Path(row.path).name for row in rows] == [f"{number}.png" for number in range(10)]
    assert calls == [10, 5, 2, 3, 5, 2, 3]


def test_what_is_refused_alone_ends_the_call(call, tmp_path):
    for number in range(32):
        (tmp_path / f"{number}.png").write_bytes(encode(np.zeros((40, 40), np.uint8), "png-grey"))
    with stubs.rest(Stub([MALFORMED] * 99)) as stub, pytest.raises(Refused, match=stubs.MESSAGE):
        call(stub.url, "predict_files", [tmp_path])
    assert len(stub.calls) == 6  # 32, 16, 8, 4, 2, 1


@pytest.mark.parametrize("as_file", [True, False])
def test_what_no_model_decodes_is_encoded_by_the_client(call, tmp_path, as_file):
    sent = []

    def responses(body):
        images = json.loads(body)["inputs"]["image_bytes"]
        sent.extend(base64.b64decode(image["b64"]) for image in images)
        return stubs.OUTPUTS

    data = FILES["tiff"](grey_pixels())
    (tmp_path / "a.tif").write_bytes(data)
    with stubs.rest(Stub(outputs=responses)) as stub:
        if as_file:
            call(stub.url, "predict_files", [tmp_path / "a.tif"])
        else:
            call(stub.url, "predict", [data])
    assert sent == [encoded(data).image]
