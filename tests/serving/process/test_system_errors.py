import errno
from pathlib import Path

import pytest

from serving.process.system_errors import explain

FULL = "there is no space left on its disk; free some, or use another disk."
NOT_YOURS = "it may not be read or written by you; change its owner or mode."


def caused(inner, outer=None):
    outer = outer or RuntimeError("outer")
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/d/file"), f"/d/file: {FULL}"),
        (PermissionError(errno.EACCES, "Permission denied", "/d"), f"/d: {NOT_YOURS}"),
        (OSError(errno.EACCES, "Permission denied", "/a", None, "/b"), f"/b: {NOT_YOURS}"),
        (
            OSError(errno.EACCES, "Permission denied", b"/a\xff\x1b"),
            f"/a\\udcff\\x1b: {NOT_YOURS}",
        ),
        (FileNotFoundError(errno.ENOENT, "No such file", "/a"), "/a: there is no such file."),
        (OSError(errno.ENOSPC, "No space left on device"), f"/place: {FULL}"),
        (caused(OSError(errno.ENOSPC, "No space left on device", "/d/file")), f"/d/file: {FULL}"),
    ],
)
def test_what_the_system_refuses_is_reported_with_its_file_and_a_remedy(error, message):
    assert explain(error, Path("/place")) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("/d/part-0; No space left on device", f"/d/part-0: {FULL}"),  # TensorFlow
        (
            "OSError: [Errno 28] No space left on device: '/d/x' [while running 'W/Map']",
            f"/d/x: {FULL}",
        ),  # Beam
        ("[Errno 28] No space left on device [while running 'Write/Map']", f"/place: {FULL}"),
        ("mysql_query failed: errno: 13, error: database or disk is full", f"/place: {FULL}"),
        ("PermissionError: [Errno 13] Permission denied: '/d/x'", f"/d/x: {NOT_YOURS}"),
        ("/d/x; Permission denied", f"/d/x: {NOT_YOURS}"),
    ],
)
def test_it_is_found_in_what_a_library_made_of_it(text, message):
    assert explain(caused(RuntimeError(text)), Path("/place")) == message


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no"),
        KeyboardInterrupt(),
        OSError("own words"),
        RuntimeError("403 Permission denied on resource project x"),
        caused(FileNotFoundError(errno.ENOENT, "No such file", "/a"), ValueError("a mistake")),
    ],
)
def test_other_errors_are_none_of_the_systems(error):
    assert explain(error) is None


def test_a_true_refusal_is_reported(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        (tmp_path / "absent" / "file").write_text("")
    assert explain(caught.value) == f"{tmp_path}/absent/file: there is no such file."
