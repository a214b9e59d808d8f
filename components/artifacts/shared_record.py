"""Configuration of a run as it is shared with the model: no path on this machine."""

from collections.abc import Mapping
from typing import Any, Final

from transform_module.files.remote import is_remote

_PLACES: Final = (
    ("images",),
    ("dataset", "labels"),
    ("dataset", "patients"),
    ("dataset", "dicom", "patient_key"),
    ("push", "directory"),
    ("push", "signing", "private_key"),
    ("push", "signing", "certificate"),
    ("push", "signing", "chain"),
)
"""Settings that are paths. They name users, studies and, in a table's case, patients."""


def without_places(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a configuration without the local paths in it: null takes their place.

    Args:
        configuration: as JSON has it. Settings may be missing.
    """
    shared = dict(configuration)
    for *above, name in _PLACES:
        section = shared
        for key in above:
            if not isinstance(section.get(key), Mapping):
                break
            section[key] = dict(section[key])
            section = section[key]
        else:
            value = section.get(name)
            is_local = isinstance(value, str) and not is_remote(value)
            if is_local or (value and isinstance(value, list)):
                section[name] = None
    return shared
