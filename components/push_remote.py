"""Publishing a model in a remote push folder, such as gs://bucket/pushed.

Object storage renames no folders. A version's ``saved_model.pb`` is written last there: servers
take a folder without it for none that can be loaded, and try again.
"""

import tempfile
from pathlib import Path
from typing import Any, Final

import tensorflow as tf

from components import pushed, remote
from components.push import push

_LAST: Final = "saved_model.pb"


def versions(folder: str) -> list[int]:
    """Lists the numbers of the versions in the folder of a model, ascending."""
    if not tf.io.gfile.isdir(folder):
        return []
    names = [name.rstrip("/") for name in tf.io.gfile.listdir(folder)]
    return sorted(int(name) for name in names if name.isascii() and name.isdecimal())


def push_remotely(source: Path, folder: str, record: dict[str, Any]) -> tuple[int, str]:
    """Publishes a model as the next version. A model that is already served is not copied again.

    Args:
        source: The SavedModel's folder.
        folder: The remote folder of the model's versions.
        record: What else the manifest tells.

    Returns:
        The version that holds the model, and its folder.
    """
    found = versions(folder)
    with tempfile.TemporaryDirectory(prefix="push-") as place:
        near = Path(place, "model")
        for number in found[-1:]:
            served = f"{folder}/{number}"
            (near / str(number)).mkdir(parents=True)  # the next number is greater
            if tf.io.gfile.exists(f"{served}/{pushed.MANIFEST}"):
                remote.copy(served, str(near / str(number)), [pushed.MANIFEST])
            manifest = pushed.read_manifest(near / str(number))
            if manifest and manifest["files"] == pushed.sums(source):
                return number, served
        version = push(source, near, record)
        target = f"{folder}/{version.version}"
        names = remote.files(str(version.path))
        names.sort(key=lambda name: name == _LAST)
        remote.copy(str(version.path), target, names)
        return version.version, target


def fetch(folder: str, version: str, target: Path) -> Path:
    """Copies a version here; returns its folder, which is not there where there is no version."""
    near = target / version
    remote.copy(f"{folder}/{version}", str(near), remote.files(f"{folder}/{version}"))
    return near
