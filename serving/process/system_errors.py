"""Messages for errors of the operating system: a disk that is full, a file of another user."""

import errno
import os
import re
from pathlib import Path
from typing import Final

from transform_module.text import printable

_REMEDIES: Final = {
    errno.ENOSPC: "there is no space left on its disk; free some, or use another disk",
    errno.EDQUOT: "your quota on its disk is used up; free some, or use another disk",
    errno.EFBIG: "it is larger than its disk or your limits allow; use another disk",
    errno.EACCES: "it may not be read or written by you; change its owner or mode",
    errno.EPERM: "it may not be changed by you; change its owner or mode",
    errno.EROFS: "its disk is read-only; use another place",
    errno.EIO: "its disk has failed to read or write it; check the disk",
    errno.EMFILE: "this process has too many open files; raise the limit (ulimit -n)",
    errno.ENFILE: "this machine has too many open files; raise its limit",
    errno.ENOMEM: "there is too little memory",
    errno.ENAMETOOLONG: "its name is too long; use a shorter one",
    errno.ENOTDIR: "a part of its path is a file; use another place",
    errno.EISDIR: "it is a folder where a file is expected",
    errno.ENOENT: "there is no such file",
    errno.EEXIST: "it exists already",
    errno.ELOOP: "its symbolic links lead nowhere",
    errno.ESTALE: "its network disk has lost it; mount it again",
}

# How libraries put it that do not raise OSError, or that pass one on as text: TensorFlow's
# ResourceExhaustedError, SQLite's and ml-metadata's errors, Beam's RuntimeError.
_SAID: Final = {
    errno.ENOSPC: re.compile(r"No space left on device|(database or )?disk is full", re.I),
    errno.EDQUOT: re.compile(r"Disk quota exceeded", re.I),
    # Not a cloud's refusal, which is put in the same words.
    errno.EACCES: re.compile(r"\[Errno 13\] Permission denied|(?<=; )Permission denied"),
    errno.EROFS: re.compile(r"Read-only file system|attempt to write a readonly database", re.I),
    errno.EIO: re.compile(r"Input/output error|disk I/O error", re.I),
    errno.EMFILE: re.compile(r"Too many open files", re.I),
    errno.ENOMEM: re.compile(r"Cannot allocate memory"),
}
_PATH: Final = re.compile(r"(?:^|(?<=[\s'\"(=]))/[^\s'\";,:)]+")


def explain(error: BaseException, place: Path | None = None) -> str | None:
    """Finds what the operating system refused, in an error or in those that led to it.

    Args:
        error: what was raised.
        place: is named where the error names no file, as for a write to an open one.

    Returns:
        `PATH: what is wrong; what to do.`, or None where it is an error of another kind.
    """
    for depth, link in enumerate(chain(error)):
        if isinstance(link, OSError) and (depth == 0 or link.errno in _SAID):
            number, path = link.errno or 0, _name(link.filename2) or _name(link.filename)
        else:
            number, path = _of_text(str(link))
        if remedy := _REMEDIES.get(number):
            return f"{path or place or 'A file'}: {remedy}."
    return None


def chain(error: BaseException) -> list[BaseException]:
    """Returns an error and those that led to it, the last one first."""
    found: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in found:
        found.append(link)
        link = link.__cause__ or link.__context__
    return found


def _of_text(text: str) -> tuple[int, str]:
    """The number and the path of an error that a library has made text of; 0 for other errors."""
    for number, said in _SAID.items():
        if found := said.search(text):
            line = text[text.rfind("\n", 0, found.start()) + 1 :].split("\n", 1)[0]
            return number, next(iter(_PATH.findall(line.split(" [while running '")[0])), "")
    return 0, ""


def _name(file: object) -> str:
    if isinstance(file, bytes):
        file = os.fsdecode(file)
    if not isinstance(file, str):
        return ""  # a descriptor, or nothing
    return printable(file)
