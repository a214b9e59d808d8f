import pytest

from serving.files.linking import link


def test_a_target_that_is_there_is_never_written_into(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    link(tmp_path / "a", tmp_path / "b")
    with pytest.raises(FileExistsError):
        link(tmp_path / "a", tmp_path / "b")
    (tmp_path / "c").write_bytes(b"2")
    with pytest.raises(FileExistsError):
        link(tmp_path / "a", tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == b"2"
