"""Local folders that stand for remote places, such as a bucket's."""

import re
from collections.abc import Mapping
from typing import Final

_NAME_GOES_ON: Final = r"[\w.~%+@=-]"


def holds(places: Mapping[str, str], uri: str) -> bool:
    """Tells whether a remote place, or one above it, has a local folder."""
    return bool(places) and _any_of(places).match(uri) is not None


def near(text: str, places: Mapping[str, str]) -> str:
    """Replaces the remote places in a text by the local folders that stand for them.

    Args:
        text: may name remote places anywhere.
        places: local folders by remote place. Where one lies within another, the inner one counts;
            ``gs://bucket/ex`` does not stand for ``gs://bucket/examples``.
    """
    if not places:
        return text
    local = {remote.rstrip("/"): folder for remote, folder in places.items()}
    return _any_of(places).sub(lambda found: local[found[0]], text)


def _any_of(places: Mapping[str, str]) -> re.Pattern[str]:
    inner_first = sorted((remote.rstrip("/") for remote in places), key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(map(re.escape, inner_first))})(?!{_NAME_GOES_ON})")
