import json
from pathlib import Path

import pytest

from serving.client import Refused
from serving.predict.files import Prediction
from tests.serving.client import stubs
from tests.serving.client.stubs import MALFORMED, Stub


def test_a_folder_without_files_gets_a_row(ask, tmp_path):
    (tmp_path / "empty").mkdir()
    ((only,),) = ask("http://127.0.0.1:9", "predict_files", [tmp_path / "empty"])
    assert (only.valid, only.reason) == (False, "folder without files")


def test_files_that_cannot_be_read_ask_nobody(ask, tmp_path):
    with stubs.rest(Stub()) as stub:
        ((only,),) = ask(stub.url, "predict_files", [tmp_path / "no.png"])
    reason = "cannot be opened: no such file or directory"
    assert only == Prediction(str(tmp_path / "no.png"), None, "INVALID", False, reason)
    assert stub.asked == []


def test_a_file_too_large_to_be_sent_gets_its_reason(ask, tmp_path):
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(50 * 2**20)
    with stubs.rest(Stub()) as stub:
        ((only,),) = ask(stub.url, "predict_files", [large])
    assert only.reason.startswith("too large: ")
    assert stub.asked == []


@pytest.fixture
def few():
    """A stub that takes four images at most, and how many images each request had."""
    asked = []

    def answers(body):
        count = len(json.loads(body)["inputs"]["image_bytes"])
        asked.append(count)
        if count > 4:
            return None
        return {name: values * count for name, values in stubs.OUTPUTS.items()}

    with stubs.rest(Stub(outputs=answers)) as stub:
        yield stub, asked


def test_what_is_too_much_for_a_request_is_asked_in_halves(ask, few, tmp_path):
    stub, asked = few
    for number in range(10):
        (tmp_path / f"{number}.png").write_bytes(b"x")
    ((*rows,),) = ask(stub.url, "predict_files", [tmp_path])
    assert [row.label for row in rows] == ["NORMAL"] * 10
    assert [Path(row.path).name for row in rows] == [f"{number}.png" for number in range(10)]
    assert asked == [10, 5, 2, 3, 5, 2, 3]


def test_what_is_refused_alone_ends_the_call(ask, tmp_path):
    for number in range(32):
        (tmp_path / f"{number}.png").write_bytes(b"x")
    with stubs.rest(Stub([MALFORMED] * 99)) as stub, pytest.raises(Refused, match=stubs.MESSAGE):
        ask(stub.url, "predict_files", [tmp_path])
    assert len(stub.asked) == 6  # 32, 16, 8, 4, 2, 1
