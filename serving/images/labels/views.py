"""Views of chest X-rays, as tables and DICOM name them. Pure."""

import re
from typing import Final

LATERAL: Final = "lateral view"
OTHER_VIEW: Final = "another view, or none that is stated"

_LATERAL = re.compile(
    r"(?:left|right|x ?table|cross ?table)? ?lat(?:eral)?|[lr]|[lr]l", re.IGNORECASE
)
_FRONTAL = re.compile(r"(?:ap|pa|frontal)(?:\b.*)?", re.IGNORECASE)


def is_lateral(view: str) -> bool:
    """Returns whether a view is from the side: `Lateral`, `LL`, `L`, `XTABLE LATERAL`."""
    return _LATERAL.fullmatch(_plain(view)) is not None


def is_frontal(view: str) -> bool:
    """Returns whether a view is from the front or the back: `PA`, `AP_horizontal`, `Frontal`."""
    return _FRONTAL.fullmatch(_plain(view)) is not None


def _plain(view: str) -> str:
    return re.sub(r"[\s_-]+", " ", view.strip())
