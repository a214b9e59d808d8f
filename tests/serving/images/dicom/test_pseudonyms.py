import hashlib
import hmac

import pytest

from serving.images.dicom.pseudonyms import UNKEYED, pseudonyms
from transform_module.errors import UserError

KEY = "0123456789abcdef-key"


def test_a_name_is_the_hmac_of_the_id(tmp_path, monkeypatch):
    (tmp_path / "key").write_text(f"{KEY}\n")
    monkeypatch.setenv("PATIENTS", KEY)
    expected = hmac.new(KEY.encode(), b"4711", hashlib.sha256).hexdigest()
    for source in ("env:PATIENTS", str(tmp_path / "key")):
        names = pseudonyms(source)
        assert names("4711") == f"dicom-{expected[:24]}"
        assert names("4712") != names("4711")
        assert names.check == pseudonyms(source).check
        assert KEY not in repr(names)


def test_without_a_key_names_are_of_one_run():
    one, other = pseudonyms(None), pseudonyms(None)
    assert one("4711") == one("4711") != other("4711")
    assert one("4711").startswith(UNKEYED)
    assert one.check is None


def test_another_key_is_known_to_be_another(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(KEY + name)
    assert pseudonyms(str(tmp_path / "a")).check != pseudonyms(str(tmp_path / "b")).check


def test_a_key_that_is_not_there_is_refused_and_never_printed(tmp_path, monkeypatch):
    monkeypatch.delenv("PATIENTS", raising=False)
    with pytest.raises(UserError, match="the environment variable PATIENTS holds 0 bytes"):
        pseudonyms("env:PATIENTS")
    with pytest.raises(UserError, match="its file cannot be read") as refused:
        pseudonyms(KEY)
    assert KEY not in str(refused.value)
    (tmp_path / "short").write_text("1234")
    with pytest.raises(UserError, match="holds 4 bytes; at least 16"):
        pseudonyms(str(tmp_path / "short"))
