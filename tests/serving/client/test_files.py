from serving.predict import Prediction
from tests.serving.client import stubs
from tests.serving.client.stubs import Stub


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
